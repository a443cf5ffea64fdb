"""The fixes of a release and the steps of the upgrade, as recipients read them."""

from dataclasses import replace

import pytest

from domain.examples import cases
from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.release_details import ReleaseDetails, Requirement, UpgradeStep
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.messages.message import Message
from mastodon_update_check.messages.release_details import FIXES_SHOWN
from messages.writing import body, details, fix, make_context, minor, patch, write

URGENT, PLAIN = patch("4.5.20", urgent=True), patch("4.5.20")
A, B, C = "GHSA-7jvv-fhmg-wpfw", "GHSA-hx34-2pfw-2qfj", "GHSA-vwhj-3g83-v276"
TWO = [fix("Fix incorrect permission enforcement", A, B), fix("Fix SSRF protection bypass via IPv6 addresses", C)]
POSTGRESQL = Requirement(name="PostgreSQL", minimum="14", found="13.14", is_met=False)
NODE = Requirement(name="Node.js", minimum="22")
EVERYTHING = [*UpgradeStep]
UNSAID = "The update server does not say what is fixed"
GEMS, PACKAGES = UpgradeStep.BUNDLE_INSTALL, UpgradeStep.YARN_INSTALL


def message(known: ReleaseDetails, kind: InstallKind | None = None, *, urgent: bool = True) -> Message:
    """Write the message about one patch of which this is known."""
    release = URGENT if urgent else PLAIN
    return write([release], make_context([release], details=[known], install_kind=kind))


def part(known: ReleaseDetails, kind: InstallKind | None = None) -> str:
    """Return the paragraph that the details make."""
    return body(message(known, kind))[2]


def test_fixes_and_steps() -> None:
    """Ids and one line each, then the steps; the sentence about what the feed leaves open is gone."""
    text = message(details("4.5.20", TWO, [GEMS])).text
    assert (
        "\n\n4.5.20 fixes 2 security issues:\n"
        f"  {A}, {B}: Incorrect permission enforcement\n"
        f"  {C}: SSRF protection bypass via IPv6 addresses\n"
        "To upgrade: bundle install; then restart Sidekiq and web. Not needed: yarn\n"
        "install, migrations and restart of streaming. Asset build: only if\n"
        "app/javascript has changed.\n\n"
    ) in text
    assert UNSAID not in text


def test_message_without_details_names_the_unknown() -> None:
    """Neither an urgent release without details, nor one with details of another installed version."""
    assert UNSAID in write([URGENT]).text
    assert UNSAID in message(details("4.5.20", TWO, installed="4.5.18")).text
    assert UNSAID in message(details("4.5.20", None, requires=None)).text
    assert UNSAID not in write([PLAIN]).text


def test_unknown_fixes_with_known_steps() -> None:
    """Both are said."""
    found = body(message(details("4.5.20", None, [GEMS])))
    assert found[2].startswith(UNSAID)
    assert found[3].startswith("To upgrade: bundle install; ")


NO_FIXES = "The changelog of 4.5.20 lists no security fixes."
BEFORE = f"4.5.20 fixes 1 security issue: {C}: SSRF protection bypass via IPv6 addresses To upgrade: "
ALL_STEPS = (
    "Ruby 3.4.8, bundle install, yarn install, asset build and migrations; then restart Sidekiq, web and streaming."
)
UNKNOWN = (
    "Unknown, see the release notes: bundle install, yarn install, asset build, migrations and restart of streaming."
)
TOO_OLD = "Requires PostgreSQL 14 (yours is 13.14: upgrade it first)"
MET = replace(POSTGRESQL, found="15.2", is_met=True)
CONTAINER_ONLY = fix("Update FFmpeg", "CVE-2026-8461", is_container_only=True)


@cases(
    "known expected",
    ("a restart", details("4.5.20", []), f"{NO_FIXES} A restart is enough: Sidekiq and web. "),
    ("everything", details("4.5.20", TWO[1:], EVERYTHING, []), BEFORE + ALL_STEPS),
    (
        *("only streaming", details("4.5.20", [], [UpgradeStep.RESTART_STREAMING])),
        f"{NO_FIXES} To upgrade, restart Sidekiq, web and streaming. ",
    ),
    (
        *("unknown", details("4.5.20", [], unknown=EVERYTHING)),
        f"{NO_FIXES} To upgrade, restart Sidekiq and web. {UNKNOWN}",
    ),
    (
        *("requirements", details("4.5.20", [], [GEMS], requires=[POSTGRESQL, NODE])),
        f"{NO_FIXES} {TOO_OLD} and Node.js 22. To upgrade",
    ),
    (
        "a requirement that is met",
        details("4.5.20", [], requires=[MET]),
        f"{NO_FIXES} Requires PostgreSQL 14 (yours is 15.2).",
    ),
    (
        *("containers only", details("4.5.20", [CONTAINER_ONLY])),
        "4.5.20 fixes 1 security issue, only in the container images: CVE-2026-8461: Update FFmpeg A restart",
    ),
)
def test_sentences(known: ReleaseDetails, expected: str) -> None:
    """Each situation has its words."""
    assert part(known).startswith(expected)


@cases(
    "kind expected",
    (InstallKind.DOCKER, f"{TOO_OLD}. To upgrade: new images, migrations, and a restart of all containers."),
    (InstallKind.YUNOHOST, f"{TOO_OLD} and Node.js 22."),
)
def test_kinds_of_installation(kind: InstallKind, expected: str) -> None:
    """Images bring Ruby and Node.js along, and packages take the steps."""
    assert part(details("4.5.20", [], EVERYTHING, [], [POSTGRESQL, NODE]), kind).endswith(expected)


@pytest.mark.parametrize("urgent", [True, False])
@pytest.mark.parametrize("number", [1, 4, 8, 9, 50])
def test_a_message_becomes_at_most_eight_lines_longer(number: int, *, urgent: bool) -> None:
    """However much there is to say; the rest is counted."""
    fixes = [fix(f"Fix number {one} " + "with many words " * 10, A, B, C) for one in range(number)]
    known = details("4.5.20", fixes, EVERYTHING, [], [POSTGRESQL, NODE])
    release = URGENT if urgent else PLAIN
    longer, shorter = message(known, urgent=urgent).text, write([release]).text
    assert len(longer.splitlines()) - len(shorter.splitlines()) <= 8
    shown = longer.count(A)
    assert shown <= FIXES_SHOWN
    assert number == shown or f"{number} security issues, these and {number - shown} more:" in longer
    assert max(len(line) for line in longer.splitlines() if "://" not in line) <= 78


def test_a_reminder_has_details_too() -> None:
    """It replaces the same sentence."""
    from domain.examples import reminder

    found = write([reminder(URGENT)], make_context([URGENT], details=[details("4.5.20", TWO)]))
    assert "fixes 2 security issues" in found.text


def test_only_advisories_are_links() -> None:
    """Text from the changelog is escaped, and a URL in it is text."""
    hostile = Fix(text='Fix <a href="https://evil.example">this</a> https://evil.example')
    html = message(details("4.5.20", [TWO[1], hostile])).html
    assert f'<a href="https://github.com/mastodon/mastodon/security/advisories/{C}">{C}</a>' in html
    assert 'href="https://evil' not in html
    assert "<a href=&quot;" not in html
    assert "&lt;a href=&quot;https://evil.example&quot;&gt;this&lt;/a&gt; https://evil.example" in html


def test_details_of_the_release_that_matters_most() -> None:
    """Of several releases the first one's are shown."""
    other = minor("4.7.6")
    context = make_context([URGENT, other], details=[details("4.7.6", TWO), details("4.5.20", TWO[1:])])
    assert "4.5.20 fixes 1 security issue:" in write([URGENT, other], context).text
