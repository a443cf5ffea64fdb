"""Values that the tests of the core begin with; every test says only what it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import (
    InstalledNotice,
    ReminderNotice,
    SupportNotice,
    SupportStage,
    ToolNotice,
    UpdateNotice,
    UpdateType,
)
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import FollowUps, Preference, Recipient, address_key
from mastodon_update_check.domain.server.state import ServerState, Skip
from mastodon_update_check.domain.versions import MastodonVersion

NOW = datetime(2026, 11, 23, 2, 7, tzinfo=UTC)
INSTANCE = "social.example"


def version(text: str) -> MastodonVersion:
    """Return a version."""
    return MastodonVersion.parse(text)


def update(
    text: str,
    *,
    urgent: bool = False,
    type: UpdateType | None = None,  # noqa: A002 - the field is called so
    notes: str = "",
    ends_on: date | None = None,
) -> UpdateNotice:
    """Return an update notice."""
    return UpdateNotice(version=version(text), urgent=urgent, type=type, release_notes=notes, end_of_support_on=ends_on)


def patch(text: str, *, urgent: bool = False) -> UpdateNotice:
    """Return an update notice of type patch."""
    return update(text, urgent=urgent, type=UpdateType.PATCH)


def minor(text: str, *, urgent: bool = False) -> UpdateNotice:
    """Return an update notice of type minor."""
    return update(text, urgent=urgent, type=UpdateType.MINOR)


def reminder(about: UpdateNotice, number: int = 1, notified_at: datetime = NOW) -> ReminderNotice:
    """Return a reminder notice."""
    return ReminderNotice(update=about, number=number, notified_at=notified_at)


def installed(about: UpdateNotice) -> InstalledNotice:
    """Return the notice that an update is installed."""
    return InstalledNotice(update=about)


def skip(text: str, *, urgent: bool = False) -> Skip:
    """Return a skip."""
    return Skip(version=version(text), urgent=urgent, skipped_at=NOW)


def support(stage: SupportStage, ends_on: date = date(2027, 2, 20), branch: str = "4.5") -> SupportNotice:
    """Return a support notice."""
    return SupportNotice(branch=branch, ends_on=ends_on, stage=stage)


def feed(*updates: UpdateNotice, ends_on: date | None = None, is_complete: bool = True) -> Feed:
    """Return an answer that lists these updates."""
    return Feed(updates=updates, ends_on=ends_on, is_complete=is_complete)


def user(number: int = 1, preference: Preference = Preference.ALL, **fields: str | bool) -> Recipient:
    """Return one of the server's users, who is notified by mail."""
    recipient = Recipient(
        sink="email", key=f"user:{number}", address=f"user{number}@social.example", preference=preference, name="ann"
    )
    return replace(recipient, **fields)  # type: ignore[arg-type] # the fields' own types differ


def named(address: str, preference: Preference = Preference.ALL) -> Recipient:
    """Return an address that the settings name."""
    return Recipient(sink="email", key=address_key(address), address=address, preference=preference)


def hook(sink: str = "webhook", key: str = "webhook:1", preference: Preference = Preference.ALL) -> Recipient:
    """Return a webhook."""
    return Recipient(sink=sink, key=key, preference=preference)


def facts(
    *recipients: Recipient,
    installed: str | None = "4.5.19",
    answer: Feed | None = None,
    now: datetime = NOW,
    unasked: Iterable[str] = (),
    tool_notices: Sequence[ToolNotice] = (),
    sinks: Iterable[str] = ("email", "webhook", "log"),
    skips: Sequence[Skip] = (),
    reminders: FollowUps = FollowUps.NONE,
    closure: FollowUps = FollowUps.NONE,
) -> Facts:
    """Return what a check knows."""
    runs = None if installed is None else version(installed)
    known = ServerState(installed=runs, updates=(answer and answer.updates) or (), skips=tuple(skips))
    return Facts(
        instance=INSTANCE,
        now=now,
        known=known,
        installed=runs,
        feed=answer,
        recipients=recipients,
        sinks=tuple(sinks),
        unasked_sinks=frozenset(unasked),
        tool_notices=tuple(tool_notices),
        reminders=reminders,
        closure=closure,
    )


def days(number: int) -> timedelta:
    """Return so many days."""
    return timedelta(days=number)


def cases(names: str, *rows: tuple[object, ...]) -> pytest.MarkDecorator:
    """Parametrize a test by rows: the values of these names, behind what the row is about if it says that."""
    arguments = names.split()
    is_named = len(rows[0]) > len(arguments)
    return pytest.mark.parametrize(
        arguments, [row[is_named:] for row in rows], ids=[str(row[0]) for row in rows] if is_named else None
    )
