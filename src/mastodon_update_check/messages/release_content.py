"""Messages about releases: what is new, reminders while it is pending, and the closure once it is installed."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mastodon_update_check.domain.notices import (
    InstalledNotice,
    ReminderNotice,
    SupportNotice,
    SupportStage,
    UpdateNotice,
    is_urgent,
)
from mastodon_update_check.domain.server.status import has_support_ended
from mastodon_update_check.messages.content import Content, MessageContext, Paragraph
from mastodon_update_check.messages.release_parts import (
    RELEASES_NAMED,
    RELEASES_SHOWN,
    name_updates,
    order_updates,
    other_releases,
    write_list,
)
from mastodon_update_check.messages.support_content import write_support_content


def write_update_content(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext
) -> Content:
    """Write the message; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return write_support_content(support, context)
    new = order_updates(updates, context.branch)
    content = write_list(
        new, _opening(new, context), _subject(new, context), replace(context, notified_support=support)
    )
    if support is None:
        return content
    say = partial(
        context.translation.say,
        subject=content.subject,
        branch=support.branch,
        date=context.translation.short_date(support.ends_on),
    )
    if support.stage is SupportStage.ENDED:
        subject = say("{subject}; support for {branch} ended on {date}")
    else:
        subject = say("{subject}; support for {branch} ends on {date}")
    return replace(content, subject=subject, is_urgent=content.is_urgent or is_urgent(support))


def _subject(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    first, translation = new[0].version, context.translation
    if not new[0].urgent:
        names = name_updates(new, RELEASES_NAMED, translation)
        return translation.count("Mastodon {names} is out", "Mastodon {names} are out", len(new), names=names)
    if first in context.versions_to_act_on:
        return translation.say("install Mastodon {version}", version=first)
    return translation.say("Mastodon {version} is out: see whether it concerns you", version=first)


def _opening(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    headline, translation = new[0], context.translation
    say = partial(translation.say, version=headline.version, branch=headline.version.branch)
    is_own = headline.version.branch == context.branch
    if headline.urgent:
        meaning = _own_urgent(context) if is_own else _foreign_urgent(context)
        return translation.join(say("Mastodon marks {version} as urgent."), meaning)
    if is_own:
        return translation.join(
            say("{version} is a release for your branch; not marked urgent."),
            say("It installs directly over {installed}.", installed=context.installed),
        )
    if len(new) > 1:
        return say("New releases of other branches; none is marked urgent.")
    return say("A new release of branch {branch}; not marked urgent.")


def _own_urgent(context: MessageContext) -> str:
    branch, known, translation = context.branch, context.knowledge, context.translation
    newer = [update for update in known.pending() if update.version.branch != branch]
    if has_support_ended(known, context.now):
        over = translation.say("It is a patch of your branch {branch}, which is out of support.", branch=branch)
        leave = translation.say("Upgrade to {version} next.", version=newer[-1].version) if newer else ""
        return translation.join(over, leave)
    if not newer:
        return translation.say("It is a patch of your branch.")
    return translation.say(
        "It is a patch of your branch: no need to go to {branch} for it.", branch=newer[-1].version.branch
    )


def _foreign_urgent(context: MessageContext) -> str:
    """Say what an urgent release of another branch means for this server."""
    known, branch, say = context.knowledge, context.branch, partial(context.translation.say, branch=context.branch)
    own = [update for update in known.pending() if update.urgent and update.version.branch == branch]
    if own:
        return say("For your branch there is {version}, marked urgent too.", version=own[-1].version)
    if has_support_ended(known, context.now):
        return say("Your branch {branch} is out of support: do not wait for a fix of its own.")
    return say("It is not of your branch {branch}, for which the update server lists no urgent release.")


def write_reminder_content(reminders: Sequence[ReminderNotice], context: MessageContext) -> Content:
    """Write the reminder of updates that are still pending."""
    updates, translation = order_updates([one.update for one in reminders], context.branch), context.translation
    say = partial(
        translation.say,
        version=updates[0].version,
        names=name_updates(updates, RELEASES_SHOWN, translation),
        date=translation.short_date(min(one.notified_at for one in reminders).date()),
    )
    if len(updates) > 1:
        opening = say("Not installed yet: {names}. You have known of them since {date}.")
    else:
        opening = say("{version} is not installed yet. You have known of it since {date}.")
    if updates[0].version in context.versions_to_act_on:
        return write_list(updates, opening, say("Reminder: install Mastodon {version}"), context)
    names = name_updates(updates, RELEASES_NAMED, translation)
    subject = translation.count(
        "Reminder: Mastodon {names} is out", "Reminder: Mastodon {names} are out", len(updates), names=names
    )
    return write_list(updates, opening, subject, context)


def write_installed_content(notices: Sequence[InstalledNotice], context: MessageContext) -> Content:
    """Write the closure: which of the notified updates are installed."""
    translation = context.translation
    versions = sorted((one.update.version for one in notices), reverse=True)
    installed = context.installed or versions[0]
    others = [str(version) for version in versions if version != installed][:RELEASES_SHOWN]
    say = partial(translation.say, version=installed, names=translation.enumerate(others))
    is_reminded = any(context.reminders.admit(one.update) for one in notices)
    said = translation.join(
        say("{version} is installed. That settles {names}.") if others else say("{version} is installed."),
        say("There will be no more reminders.") if is_reminded else "",
    )
    title = say("Mastodon {version} is installed")
    return Content(
        subject=f"[{context.instance}] {title}",
        blocks=(Paragraph(said), *other_releases((), context)),
    )
