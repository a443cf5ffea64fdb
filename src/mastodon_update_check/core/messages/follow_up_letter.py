"""Letters that follow one about an update: a reminder while it waits, and a word of closure once it is installed."""

from collections.abc import Sequence

from mastodon_update_check.core.messages.letter import (
    Block,
    Letter,
    Paragraph,
    Pointer,
    Releases,
    enumerate_words,
    short_date,
)
from mastodon_update_check.core.messages.release_letter import (
    CAUTION,
    RELEASES_NAMED,
    RELEASES_SHOWN,
    name_updates,
    order_updates,
    other_releases,
    release_rows,
    reminded_versions,
    stop_pointer,
    versions_to_act_on,
    you_run,
)
from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.notices import InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.core.reminders import next_reminder_at


def write_reminder_letter(reminders: Sequence[ReminderNotice], around: Surroundings, footer: str) -> Letter:
    """Write the letter about updates that are still not installed."""
    installed = around.knowledge.installed
    updates = order_updates([one.update for one in reminders], installed.branch if installed else "")
    blocks: list[Block] = [
        Paragraph(_still_out(updates, reminders)),
        Releases(release_rows(updates, around)),
        *other_releases(updates, None, around),
    ]
    if updates[0].urgent:
        blocks.append(CAUTION)
    if reminded := reminded_versions(updates, around):
        next_at = min(next_reminder_at(one.told_at, around.now) for one in reminders)
        blocks.append(stop_pointer(f"Next reminder: {short_date(next_at.date())}; to stop them:", reminded))
    if around.admin_url:
        blocks.append(Pointer("All pending updates:", around.admin_url))
    return Letter(subject=_subject(updates, around), blocks=tuple(blocks), footer=footer, is_urgent=updates[0].urgent)


def _subject(updates: Sequence[UpdateNotice], around: Surroundings) -> str:
    first, running = updates[0], you_run(around)
    mark = "URGENT " if first.urgent else ""
    if first.version in versions_to_act_on(around):
        return f"{mark}[{around.instance}] Reminder: install Mastodon {first.version}{running}"
    verb = "is" if len(updates) == 1 else "are"
    names = name_updates(updates, RELEASES_NAMED)
    return f"{mark}[{around.instance}] Reminder: Mastodon {names} {verb} out{running}"


def _still_out(updates: Sequence[UpdateNotice], reminders: Sequence[ReminderNotice]) -> str:
    since = short_date(min(one.told_at for one in reminders).date())
    if len(updates) > 1:
        return f"{name_updates(updates, RELEASES_SHOWN)} are not installed yet. You have known of them since {since}."
    urgent = ", which Mastodon marks as urgent," if updates[0].urgent else ""
    return f"{updates[0].version}{urgent} is not installed yet. You have known of it since {since}."


def write_installed_letter(notices: Sequence[InstalledNotice], around: Surroundings, footer: str) -> Letter:
    """Write the letter that says which of the updates that were told are installed."""
    versions = sorted((one.update.version for one in notices), reverse=True)
    installed = around.knowledge.installed or versions[0]
    others = tuple(str(version) for version in versions if version != installed)
    which = ", which Mastodon marked as urgent" if all(one.update.urgent for one in notices) else ""
    if others:
        said = f"{installed} is installed. That settles {enumerate_words(others[:RELEASES_SHOWN])}{which}."
    else:
        said = f"{installed}{which}, is installed." if which else f"{installed} is installed."
    return Letter(
        subject=f"[{around.instance}] Mastodon {installed} is installed",
        blocks=(Paragraph(f"{said}{_no_more(notices, around)}"), *other_releases((), None, around)),
        footer=footer,
    )


def _no_more(notices: Sequence[InstalledNotice], around: Surroundings) -> str:
    return " There will be no more reminders." if any(around.reminders.admit(one.update) for one in notices) else ""
