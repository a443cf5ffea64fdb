"""Messages that follow an update notice: reminders while it is pending, and the closure once it is installed."""

from collections.abc import Sequence
from functools import partial

from mastodon_update_check.domain.notices import InstalledNotice, ReminderNotice, UpdateNotice
from mastodon_update_check.messages.content import Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.release_parts import (
    RELEASES_NAMED,
    RELEASES_SHOWN,
    name_updates,
    order_updates,
    other_releases,
    write_list,
)


def write_reminder_content(reminders: Sequence[ReminderNotice], context: MessageContext) -> Content:
    """Write the reminder of updates that are still pending."""
    updates = order_updates([one.update for one in reminders], context.branch)
    return write_list(updates, _still_out(updates, reminders, context), _subject(updates, context), context)


def _subject(updates: Sequence[UpdateNotice], context: MessageContext) -> str:
    first, translation = updates[0].version, context.translation
    if first in context.versions_to_act_on:
        return translation.say("Reminder: install Mastodon {version}", version=first)
    names = name_updates(updates, RELEASES_NAMED, translation)
    return translation.count(
        "Reminder: Mastodon {names} is out", "Reminder: Mastodon {names} are out", len(updates), names=names
    )


def _still_out(updates: Sequence[UpdateNotice], reminders: Sequence[ReminderNotice], context: MessageContext) -> str:
    translation = context.translation
    names = name_updates(updates, RELEASES_SHOWN, translation)
    since = translation.short_date(min(one.notified_at for one in reminders).date())
    say = partial(translation.say, version=updates[0].version, names=names, date=since)
    if len(updates) > 1:
        return say("Not installed yet: {names}. You have known of them since {date}.")
    return say("{version} is not installed yet. You have known of it since {date}.")


def write_installed_content(notices: Sequence[InstalledNotice], context: MessageContext) -> Content:
    """Write the closure: which of the notified updates are installed."""
    translation = context.translation
    versions = sorted((one.update.version for one in notices), reverse=True)
    installed = context.installed or versions[0]
    others = [str(version) for version in versions if version != installed][:RELEASES_SHOWN]
    reminded = any(context.reminders.admit(one.update) for one in notices)
    no_more = translation.say("There will be no more reminders.") if reminded else ""
    is_in = translation.say("Mastodon {version} is installed", version=installed)
    settled = translation.enumerate(others)
    said = (
        translation.say("{version} is installed. That settles {names}.", version=installed, names=settled)
        if settled
        else translation.say("{version} is installed.", version=installed)
    )
    return Content(
        subject=f"[{context.instance}] {is_in}",
        blocks=(Paragraph(translation.join(said, no_more)), *other_releases((), context)),
    )
