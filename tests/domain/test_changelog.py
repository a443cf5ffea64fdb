"""Security entries of a changelog, whole and damaged."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.examples import cases, version
from mastodon_update_check.domain.changelog import (
    ENTRIES_READ,
    ENTRY_CHARACTERS,
    Changelog,
    Fix,
    find_fixes,
    parse_changelog,
)
from mastodon_update_check.domain.stored_json import from_json, to_json
from mastodon_update_check.domain.text import SHOWN_CHARACTERS, clean

WHOLE = (Path(__file__).parents[1] / "data" / "releases" / "CHANGELOG-4.6.5.md").read_text()
ADVISORIES = "https://github.com/mastodon/mastodon/security/advisories/"
A, B = "GHSA-7jvv-fhmg-wpfw", "GHSA-hx34-2pfw-2qfj"
LINK_A, LINK_B = f"[{A}]({ADVISORIES}{A})", f"[{B}]({ADVISORIES}{B})"
OTHER = "https://github.com/advisories/GHSA-qff7-4q6c-m8h6"


def read(*entries: str) -> tuple[Fix, ...]:
    """Read the security entries of one release."""
    lines = "\n".join(entries)
    text = f"## [4.5.20] - 2026-10-29\n\n### Security\n\n{lines}\n\n### Fixed\n\n- Fix {LINK_B}\n"
    return tuple(fix for _, fix in parse_changelog(text).entries)


def fixes(installed: str, offered: str, own: str = "") -> list[tuple[str, ...]]:
    """Return the ids of what one release fixes over another, by the whole changelog."""
    found = find_fixes(parse_changelog(WHOLE), version(offered), parse_changelog(own), version(installed))
    return [fix.ids for fix in found]


def test_every_entry_of_27_releases_is_read() -> None:
    """There are 25 fixes in them; updated dependencies are not among them, and each fix has an advisory."""
    changelog = parse_changelog(WHOLE)
    assert WHOLE.count("\n## [") == 27
    assert len(changelog.entries) == 25
    assert changelog.newest == version("4.6.5")
    assert sum(len(fix.ids) for _, fix in changelog.entries) == 28
    assert [str(version) for version, fix in changelog.entries if fix.is_container_only] == ["4.6.2"]


@cases(
    "entry text ids",
    ("a link in brackets", f"- Fix a hole ({LINK_A})", "Fix a hole", (A,)),
    ("two links", f"- Fix a hole ({LINK_A}, {LINK_B})", "Fix a hole", (A, B)),
    ("a link without brackets", f"- Fix a hole {LINK_A}", "Fix a hole", (A,)),
    ("two without brackets", f"- Fix a hole {LINK_A}, {LINK_B}.", "Fix a hole", (A, B)),
    ("the id only in the URL", f"- Fix a hole ([GHSA]({ADVISORIES}{A}))", "Fix a hole", (A,)),
    ("with its change and author", f"- Fix it (#37926 by @someone, {LINK_A})", "Fix it", (A,)),
    ("without an advisory", "- Fix it (#37926 by @someone)", "Fix it", ()),
    ("a CVE without a link", "- Fix it (CVE-2023-36462)", "Fix it", ("CVE-2023-36462",)),
    (
        "a CVE that links to the advisory of another project",
        f"- Update it to fix [CVE-2026-8461]({OTHER}) (critical severity)",
        "Update it to fix CVE-2026-8461 (critical severity)",
        ("CVE-2026-8461",),
    ),
    ("end", "- Update it to fix CVE-2026-8461", "Update it to fix CVE-2026-8461", ("CVE-2026-8461",)),
    ("continued on the next line", f"* Fix it\\\n  as {LINK_A} describes", "Fix it", (A,)),
    ("nothing but an id", f"- {LINK_A}", "No description", (A,)),
    ("control characters", "- Fix `a` and \u202e\x1b[31mb", "Fix `a` and [31mb", ()),
    ("a link within a link", "- Fix [[this](x)](http://evil.example)", "Fix [this] (…", ()),
    ("links of chats", "- Fix <http://evil.example|it> @everyone", "Fix … everyone", ()),
    ("ids that cannot exist", "- GHSA-0000-0000-0000 and CVE-1", "GHSA-0000-0000-0000 and", ()),
)
def test_an_entry(entry: str, text: str, ids: tuple[str, ...]) -> None:
    """The text names the fix without its references, and the ids are found wherever they stand."""
    assert [(fix.text, fix.ids) for fix in read(entry)] == [(text, ids)]


@pytest.mark.parametrize(
    "entry",
    ["Update dependencies", "Updated dependencies", "Update dependencies `rack` and `uri`", "Bump dependencies"],
)
def test_dependencies_are_not_a_fix(entry: str) -> None:
    """They are left out, even with an advisory."""
    assert read(f"- {entry} ({LINK_A})", "- Fix it") == (Fix(text="Fix it"),)


@cases(
    "installed offered number",
    ("4.6.3", "4.6.4", 2),
    ("4.6.1", "4.6.3", 1),
    ("4.6.4", "4.6.5", 0),
    ("4.5.10", "4.5.11", 2),
    ("4.5.4", "4.5.11", 14),
    ("4.4.8", "4.6.0", 17),
    ("4.3.0", "4.6.5", 25),
    ("4.6.0-rc.1", "4.6.4", 3),
    ("4.6.4", "4.5.11", 0),
)
def test_fixes_lie_between_installed_and_offered(installed: str, offered: str, number: int) -> None:
    """Also across branches: after the installed one, up to the offered one."""
    assert len(fixes(installed, offered)) == number


def test_fixes_that_the_own_branch_has_are_left_out() -> None:
    """4.4.10 and 4.5.3 came out on the same day with the same fix."""
    own = (
        f"## [4.4.10]\n### Security\n- Other words (GHSA-gwhw-gcjx-72v8)\n## [4.4.9]\n### Security\n- Later {LINK_A}\n"
    )
    assert len(fixes("4.4.10", "4.5.3", own)) == 0
    assert fixes("4.4.9", "4.5.3", own) == [("GHSA-gwhw-gcjx-72v8",)]


def test_each_fix_is_named_once() -> None:
    """Two releases may name the same advisory; without ids the text decides."""
    text = "".join(f"## [4.5.{patch}]\n### Security\n- Fix {LINK_A}\n- Fix that\n" for patch in (3, 2))
    assert [fix.ids for fix in find_fixes(parse_changelog(text), version("4.5.3"), Changelog(), version("4.5.1"))] == [
        (A,),
        (),
    ]


@pytest.mark.parametrize("heading", ["## [Unreleased]", "## [4.5]", "## nonsense", "##", "## [9" + "9" * 90])
def test_entries_of_no_release_are_left_out(heading: str) -> None:
    """A heading without a version ends the release before it."""
    changelog = parse_changelog(f"## [4.5.20]\n{heading}\n### Security\n- Fix it\n")
    assert changelog.entries == ()


def test_a_huge_changelog_is_bounded() -> None:
    """Entries are counted and cut."""
    entries = parse_changelog("## [4.5.20]\n### Security\n" + ("- Fix " + "it " * 9_999 + "\n") * 600).entries
    assert len(entries) == ENTRIES_READ
    assert max(len(fix.text) for _, fix in entries) <= SHOWN_CHARACTERS


@pytest.mark.parametrize(
    "piece", ["[", "[a](", "(GHSA ", " GHSA-a", " ,", "(#1", "CVE-2020-1234", "](", "( ", "by @", "#"]
)
def test_no_text_takes_long(piece: str) -> None:
    """The time grows with the length alone: 2 MiB take a fraction of a second."""
    line = "- " + piece * (ENTRY_CHARACTERS // len(piece))
    text = "## [4.5.20]\n### Security\n" + f"{line}\n" * 1_040
    began = time.process_time()
    parse_changelog(text)
    assert time.process_time() - began < 3


@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 300), st.text(max_size=20)), max_size=8))
def test_a_damaged_changelog_gives_entries_that_can_be_shown(damages: list[tuple[int, int, str]]) -> None:
    """Any damage, in several places."""
    text = WHOLE
    for start, length, inserted in damages:
        text = text[:start] + inserted + text[start + length :]
    found = parse_changelog(text).entries
    assert all(_is_fit(fix) for _, fix in found)
    assert len(found) <= text.count("\n") + 1


@given(st.text() | st.text(alphabet="#-[]() \nGHSACVE0123456789.Security"))
def test_any_text_is_a_changelog(text: str) -> None:
    """Nothing raises, and nothing comes out that cannot be shown."""
    assert all(_is_fit(fix) for _, fix in parse_changelog(f"## [4.5.20]\n### Security\n- {text}").entries)


def _is_fit(fix: Fix) -> bool:
    return fix.text == clean(fix.text) != "" and from_json(Fix, to_json(fix)) == fix
