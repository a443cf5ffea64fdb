"""Every kind of message in every language, for a review: `make letters` writes them to build/letters."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html import escape
from pathlib import Path

# As a script it stands beside nothing: what the tests share is one folder up.
sys.path.insert(0, str(Path(__file__).parents[1]))

from domain.examples import NOW, days, installed, reminder, support, user
from domain.tool_notices import CHECK, DELIVERY, FINISHED, MIGRATIONS, RECOVERED, RESTART, SERVICES
from mastodon_update_check.domain.notices import Notice, SupportStage, UpdateNotice, UpdateType
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient
from mastodon_update_check.domain.release_details import ReleaseDetails, Requirement
from mastodon_update_check.domain.release_details import UpgradeStep as Step
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import Message
from mastodon_update_check.translations import load_translation
from messages.writing import details, fix, make_context, minor, patch, write

LANGUAGES = ("en", "de", "es", "fr", "ja")
ROLES = {"en": "Owner", "de": "Inhaber*in", "es": "Propietario", "fr": "Propriétaire", "ja": "所有者"}
ENDS_ON, LATER = date(2027, 2, 20), date(2028, 1, 1)
PLAIN, URGENT = patch("4.5.20"), patch("4.5.20", urgent=True)
NEXT, NEWEST = minor("4.6.9", ends_on=date(2027, 8, 20)), minor("4.7.6", ends_on=LATER)
OLD = NOW.date() - timedelta(days=3)
FIXES = [fix("Fix incorrect permission enforcement", "GHSA-7jvv-fhmg-wpfw", "GHSA-hx34-2pfw-2qfj")] + [
    fix(f"Fix SSRF protection bypass by way of IPv4-compatible IPv6 addresses {number}", "GHSA-vwhj-3g83-v276")
    for number in range(11)
]
IN_IMAGE = fix("Update FFmpeg in the container image", "CVE-2026-8461", is_container_only=True)
REQUIRED = [
    Requirement(name="PostgreSQL", minimum="14", found="13.14", is_met=False),
    Requirement(name="Redis", minimum="7.0", found="7.2", is_met=True),
    Requirement(name="Node.js", minimum="22"),
]
FIX_AND_AWAY = patch("4.2.30", urgent=True), minor("4.4.28", ends_on=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of message: its notices and its context; a test message has no notices."""

    notices: Sequence[Notice]
    context: MessageContext


def kind(
    *notices: Notice,
    pending: Sequence[UpdateNotice] = (),
    runs: str = "4.5.19",
    ends_on: date | None = ENDS_ON,
    known: Sequence[ReleaseDetails] = (),
    installed_by: InstallKind | None = None,
) -> Kind:
    """Return a kind; with reminders of urgent updates."""
    context = make_context(pending, runs, ends_on, details=known, reminders=FollowUps.URGENT, install_kind=installed_by)
    return Kind(notices=notices, context=context)


def _urgent(known: ReleaseDetails, installed_by: InstallKind | None = None) -> Kind:
    return kind(URGENT, pending=[URGENT], known=[known], installed_by=installed_by)


def _later(one: Kind, number: int, mode: FollowUps = FollowUps.URGENT) -> Kind:
    return replace(one, context=replace(one.context, now=NOW + days(number), reminders=mode))


MANY = [patch(f"4.5.{number}") for number in range(20, 50)]
KINDS: Mapping[str, Kind] = {
    "patch": kind(PLAIN, pending=[PLAIN, NEXT, NEWEST]),
    "patch-among-others": kind(PLAIN, NEWEST, pending=[PLAIN, NEXT, NEWEST]),
    "patch-urgent": kind(URGENT, NEWEST, pending=[URGENT, NEXT, NEWEST]),
    "patch-urgent-alone": kind(URGENT, pending=[URGENT], ends_on=None),
    "patch-elsewhere": kind(patch("4.4.28"), pending=[patch("4.4.28")], runs="4.3.9", ends_on=None),
    "old-branch": kind(*FIX_AND_AWAY, pending=[*FIX_AND_AWAY, minor("4.3.24")], runs="4.2.10", ends_on=OLD),
    "minor": kind(NEWEST, pending=[NEWEST]),
    "major": kind(replace(minor("5.0.0"), type=UpdateType.MAJOR), pending=[minor("5.0.0")], ends_on=None),
    "several-minors": kind(NEXT, NEWEST, pending=[NEXT, NEWEST]),
    "many": kind(*MANY, pending=MANY, ends_on=None),
    "prerelease": kind(minor("4.7.0-rc.2"), pending=[minor("4.7.0-rc.2")], runs="4.7.0-rc.1", ends_on=None),
    "prereleases": kind(
        *(minor("4.7.0-rc.2"), minor("4.8.0")), pending=[minor("4.7.0-rc.2"), minor("4.8.0")], runs="4.7.0-rc.1"
    ),
    "urgent-elsewhere": kind(minor("4.7.6", urgent=True), pending=[minor("4.7.6", urgent=True)]),
    "urgent-here-and-elsewhere": kind(minor("4.7.6", urgent=True), pending=[URGENT, minor("4.7.6", urgent=True)]),
    "urgent-and-out-of-support": kind(
        minor("4.7.6", urgent=True),
        support(SupportStage.ENDED, OLD),
        pending=[minor("4.7.6", urgent=True)],
        ends_on=OLD,
    ),
    "urgent-after-support": kind(minor("4.7.6", urgent=True), pending=[minor("4.7.6", urgent=True)], ends_on=OLD),
    "patch-and-support": kind(
        PLAIN, support(SupportStage.TWO_WEEKS, date(2026, 12, 1)), pending=[PLAIN, NEWEST], ends_on=date(2026, 12, 1)
    ),
    "reminder-urgent": _later(kind(reminder(URGENT), pending=[URGENT, NEWEST]), 1),
    "reminder": _later(kind(reminder(PLAIN), pending=[PLAIN]), 1, FollowUps.ALL),
    "reminder-of-several": _later(kind(reminder(PLAIN), reminder(NEWEST), pending=[PLAIN, NEWEST]), 8, FollowUps.ALL),
    "installed": kind(installed(URGENT), pending=[NEWEST], runs="4.5.20"),
    "installed-newer": kind(installed(URGENT), pending=[NEWEST], runs="4.5.21"),
    "installed-plain": kind(installed(PLAIN), runs="4.5.20"),
    "installed-plain-newer": kind(installed(PLAIN), runs="4.5.21"),
    "support-in-three-months": kind(support(SupportStage.THREE_MONTHS), pending=[NEXT, NEWEST], ends_on=ENDS_ON),
    "support-in-two-weeks": kind(support(SupportStage.TWO_WEEKS, NOW.date() + days(10)), pending=[PLAIN, NEXT, NEWEST]),
    "support-tomorrow": kind(support(SupportStage.TWO_WEEKS, NOW.date() + days(1)), pending=[minor("4.6.9")]),
    "support-today": kind(support(SupportStage.TWO_WEEKS, NOW.date())),
    "support-ended": kind(support(SupportStage.ENDED, OLD), pending=[NEXT, NEWEST], ends_on=OLD),
    "check-failing": kind(replace(CHECK, stage=0), pending=[URGENT, NEXT]),
    "check-failing-with-nothing-pending": kind(CHECK),
    "check-recovered": kind(RECOVERED),
    "settings-wrong": kind(replace(CHECK, stage=0, cause="settings", detail="UPDATE_CHECK_INTERVAL: not a duration")),
    "delivery-failing": kind(DELIVERY),
    "restart": kind(RESTART),
    "migrations-pending": kind(MIGRATIONS),
    "migration-pending": kind(replace(MIGRATIONS, migrations=MIGRATIONS.migrations[:1])),
    "migrations-finished": kind(FINISHED),
    "services-outdated": kind(SERVICES),
    "services-restarted": kind(replace(FINISHED, about=SERVICES)),
    "urgent-own-branch-out-of-support": kind(URGENT, pending=[URGENT, minor("4.7.6", urgent=True)], ends_on=OLD),
    "details": _urgent(details("4.5.20", FIXES[:2], [Step.BUNDLE_INSTALL])),
    "details-of-one-fix": _urgent(details("4.5.20", FIXES[:1], [Step.RUBY, Step.YARN_INSTALL, Step.ASSETS], [])),
    "details-of-many-fixes": _urgent(details("4.5.20", FIXES, [Step.MIGRATIONS, Step.RESTART_STREAMING], [], REQUIRED)),
    "details-restart": _urgent(details("4.5.20", FIXES[:1])),
    "details-restart-of-streaming": _urgent(details("4.5.20", [], [Step.RESTART_STREAMING])),
    "details-steps-unknown": _urgent(details("4.5.20", FIXES[:1], unknown=list(Step))),
    "details-of-containers": _urgent(details("4.5.20", [IN_IMAGE], requires=REQUIRED), InstallKind.DOCKER),
    "details-of-more-containers": _urgent(details("4.5.20", [IN_IMAGE] * 2, list(Step)), InstallKind.DOCKER),
    "details-unknown-in-containers": _urgent(details("4.5.20", FIXES[:1], unknown=list(Step)), InstallKind.DOCKER),
    "details-without-fixes": _urgent(details("4.5.20", None, [Step.BUNDLE_INSTALL])),
    "test": kind(),
}


def letter(one: Kind, language: str, preference: Preference = Preference.CRITICAL) -> Message:
    """Write one kind in one language, to a user of the server."""
    context = replace(one.context, translation=load_translation(language))
    return compose_kind(one, context, user(preference=preference, role=ROLES[language], locale=language))


def compose_kind(one: Kind, context: MessageContext, recipient: Recipient) -> Message:
    """Compose one kind in any context."""
    return write(one.notices or None, context, recipient)


def write_all(directory: Path) -> Iterator[str]:
    """Write each as text and as HTML; return their names."""
    for language in LANGUAGES:
        (directory / language).mkdir(parents=True, exist_ok=True)
        for name, one in KINDS.items():
            message = letter(one, language)
            place = directory / language / name
            place.with_suffix(".txt").write_text(f"{message.subject}\n\n{message.text}")
            place.with_suffix(".html").write_text(message.html)
            yield f"{language}/{name}"


def write_index(directory: Path, names: Sequence[str]) -> None:
    """Write a page that leads to all of them."""
    links = "\n".join(
        f'<li><a href="{escape(name)}.html">{escape(name)}</a> <a href="{escape(name)}.txt">text</a></li>'
        for name in names
    )
    (directory / "index.html").write_text(f"<!DOCTYPE html><title>Letters</title><ul>{links}</ul>")


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "build" / "letters"
    write_index(target, [*write_all(target)])
    sys.stdout.write(f"{target / 'index.html'}\n")
