"""Letters that follow one about an update: a reminder while it waits, and a word of closure once it is installed."""

from collections.abc import Sequence

from mastodon_update_check.domain.notices import InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.reminders import next_reminder_at
from mastodon_update_check.messages.content import Block, Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.directions import direct
from mastodon_update_check.messages.release_parts import (
    RELEASES_NAMED,
    RELEASES_SHOWN,
    admin_pointer,
    caution,
    list_releases,
    name_updates,
    order_updates,
    other_releases,
    reminded_versions,
    stop_pointer,
    urgent_mark,
    versions_to_act_on,
    you_run,
)


def write_reminder_letter(reminders: Sequence[ReminderNotice], around: MessageContext, footer: str) -> Content:
    """Write the letter about updates that are still not installed."""
    installed, words = around.knowledge.installed, around.words
    updates = order_updates([one.update for one in reminders], installed.branch if installed else "")
    blocks: list[Block] = [
        Paragraph(_still_out(updates, reminders, around)),
        list_releases(updates, around),
        *direct(updates, around),
        *other_releases(updates, None, around),
        *caution(updates, around),
    ]
    if reminded := reminded_versions(updates, around):
        next_at = min(next_reminder_at(one.told_at, around.now) for one in reminders)
        label = words.say("Next reminder: {date}; to stop them:", date=words.short_date(next_at.date()))
        blocks.append(stop_pointer(label, reminded))
    blocks += admin_pointer(around)
    return Content(
        subject=_subject(updates, around),
        blocks=tuple(blocks),
        footer=footer,
        is_urgent=updates[0].urgent,
        language=words.language,
    )


def _subject(updates: Sequence[UpdateNotice], around: MessageContext) -> str:
    first, words = updates[0], around.words
    if first.version in versions_to_act_on(around):
        said = words.say("Reminder: install Mastodon {version}", version=first.version)
    else:
        names = name_updates(updates, RELEASES_NAMED, words)
        said = words.count(
            "Reminder: Mastodon {names} is out", "Reminder: Mastodon {names} are out", len(updates), names=names
        )
    return f"{urgent_mark(around) if first.urgent else ''}[{around.instance}] {said}{you_run(around)}"


def _still_out(updates: Sequence[UpdateNotice], reminders: Sequence[ReminderNotice], around: MessageContext) -> str:
    words, first = around.words, updates[0]
    since = words.short_date(min(one.told_at for one in reminders).date())
    if len(updates) > 1:
        names = name_updates(updates, RELEASES_SHOWN, words)
        return words.say("Not installed yet: {names}. You have known of them since {date}.", names=names, date=since)
    if first.urgent:
        return words.say(
            "{version}, which Mastodon marks as urgent, is not installed yet. You have known of it since {date}.",
            version=first.version,
            date=since,
        )
    return words.say(
        "{version} is not installed yet. You have known of it since {date}.", version=first.version, date=since
    )


def write_installed_letter(notices: Sequence[InstalledNotice], around: MessageContext, footer: str) -> Content:
    """Write the letter that says which of the updates that were told are installed."""
    words = around.words
    versions = sorted((one.update.version for one in notices), reverse=True)
    installed = around.knowledge.installed or versions[0]
    others = [str(version) for version in versions if version != installed][:RELEASES_SHOWN]
    is_urgent = all(one.update.urgent for one in notices)
    reminded = any(around.reminders.admit(one.update) for one in notices)
    no_more = words.say("There will be no more reminders.") if reminded else ""
    is_in = words.say("Mastodon {version} is installed", version=installed)
    said = _settled(str(installed), words.enumerate(others), around, is_urgent=is_urgent)
    return Content(
        subject=f"[{around.instance}] {is_in}",
        blocks=(Paragraph(words.join(said, no_more)), *other_releases((), None, around)),
        footer=footer,
        language=words.language,
    )


def _settled(version: str, others: str, around: MessageContext, *, is_urgent: bool) -> str:
    words = around.words
    if others and is_urgent:
        return words.say(
            "{version} is installed. That settles {names}, which Mastodon marked as urgent.",
            version=version,
            names=others,
        )
    if others:
        return words.say("{version} is installed. That settles {names}.", version=version, names=others)
    if is_urgent:
        return words.say("{version}, which Mastodon marked as urgent, is installed.", version=version)
    return words.say("{version} is installed.", version=version)
