"""Messages about releases: what is new, reminders, closure once it is installed; and the end of a branch's support."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice
from mastodon_update_check.domain.routes import RELEASES_URL, find_route
from mastodon_update_check.domain.server.status import has_support_ended
from mastodon_update_check.messages import release_parts as parts
from mastodon_update_check.messages.content import Block, Content, MessageContext, Paragraph, Pointer


def write_update_content(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext
) -> Content:
    """Write the message; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return _write_support_content(support, context)
    new = parts.order_updates(updates, context.branch)
    content = parts.write_list(
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
    return replace(content, subject=subject, is_urgent=content.is_urgent or notices.is_urgent(support))


def _subject(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    first, translation = new[0].version, context.translation
    if not new[0].urgent:
        names = parts.name_updates(new, parts.RELEASES_NAMED, translation)
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


def _write_support_content(support: SupportNotice, context: MessageContext) -> Content:
    """Write the message about one support notice."""
    is_over, translation = parts.has_ended(support, context.now), context.translation
    wait = timedelta(weeks=-2) if support.stage is SupportStage.THREE_MONTHS else timedelta(days=1)
    next_on = translation.short_date(support.ends_on + wait)
    return Content(
        subject=_support_subject(support, context),
        blocks=(
            Paragraph(translation.join(_write_installed(support, context), parts.support_sentence(support, context))),
            *_way_out(support, context),
            *([] if is_over else [Paragraph(translation.say("Next message about this: {date}.", date=next_on))]),
            *parts.admin_pointer(context),
        ),
        is_urgent=is_over,
    )


def _support_subject(support: SupportNotice, context: MessageContext) -> str:
    translation, days = context.translation, (support.ends_on - context.now.date()).days
    say = partial(translation.say, branch=support.branch, date=translation.short_date(support.ends_on))
    count = partial(translation.count, branch=support.branch, date=translation.short_date(support.ends_on))
    if parts.has_ended(support, context.now):
        ended_on = translation.long_date(support.ends_on)
        said = say("upgrade from Mastodon {branch}: support ended on {date}", date=ended_on)
        mark = translation.label("subject", "URGENT")
        return f"{mark} [{context.instance}] {said}"
    if days == 0:
        said = say("Support for Mastodon {branch} ends today ({date})")
    else:
        said = count(
            "Support for Mastodon {branch} ends in {number} day ({date})",
            "Support for Mastodon {branch} ends in {number} days ({date})",
            days,
        )
    return f"[{context.instance}] {said}"


def _write_installed(support: SupportNotice, context: MessageContext) -> str:
    installed, translation = context.installed, context.translation
    if installed is None:
        return translation.say("You run {version}.", version=support.branch)
    own = [update for update in context.knowledge.pending() if update.version.branch == support.branch]
    if own:
        return translation.say("You run {version}; {newest} is out.", version=installed, newest=own[-1].version)
    return translation.say("You run {version}, the newest release of its branch.", version=installed)


def _way_out(support: SupportNotice, context: MessageContext) -> Sequence[Block]:
    """Name the nearest branch that is supported for longer, and the way to the newest one."""
    installed, pending, translation = context.installed, context.knowledge.pending(), context.translation
    left_on = max(support.ends_on, context.now.date())
    beyond = [update for update in pending if update.version.branch != support.branch]
    lasting = [one for one in beyond if one.end_of_support_on is None or one.end_of_support_on > left_on]
    if installed is None or not lasting:
        return (Pointer(translation.say("The update server lists no supported release yet; look here:"), RELEASES_URL),)
    nearest = max(
        (update for update in lasting if update.version.branch == lasting[0].version.branch),
        key=lambda update: update.version,
    )
    short = find_route(installed, [one for one in pending if one.version <= nearest.version])
    whole = find_route(installed, pending)
    if nearest.end_of_support_on is None:
        shortest = translation.say("Shortest way out: {route}.", route=parts.draw(short))
    else:
        until = translation.long_date(nearest.end_of_support_on)
        shortest = translation.say(
            "Shortest way out: {route} (supported until {date}).", route=parts.draw(short), date=until
        )
    further = translation.say("Furthest: {route}.", route=parts.draw(whole)) if whole != short else ""
    return (
        parts.point_to_steps(translation.join(shortest, further), whole, translation),
        Paragraph(
            translation.say("Minor upgrades migrate the database: make a backup first, and read each release's notes.")
        ),
    )


def write_reminder_content(reminders: Sequence[notices.ReminderNotice], context: MessageContext) -> Content:
    """Write the reminder of updates that are still pending."""
    updates, translation = parts.order_updates([one.update for one in reminders], context.branch), context.translation
    say = partial(
        translation.say,
        version=updates[0].version,
        names=parts.name_updates(updates, parts.RELEASES_SHOWN, translation),
        date=translation.short_date(min(one.notified_at for one in reminders).date()),
    )
    if len(updates) > 1:
        opening = say("Not installed yet: {names}. You have known of them since {date}.")
    else:
        opening = say("{version} is not installed yet. You have known of it since {date}.")
    if updates[0].version in context.versions_to_act_on:
        return parts.write_list(updates, opening, say("Reminder: install Mastodon {version}"), context)
    names = parts.name_updates(updates, parts.RELEASES_NAMED, translation)
    subject = translation.count(
        "Reminder: Mastodon {names} is out", "Reminder: Mastodon {names} are out", len(updates), names=names
    )
    return parts.write_list(updates, opening, subject, context)


def write_installed_content(closures: Sequence[notices.InstalledNotice], context: MessageContext) -> Content:
    """Write the closure: which of the notified updates are installed."""
    translation = context.translation
    versions = sorted((one.update.version for one in closures), reverse=True)
    installed = context.installed or versions[0]
    others = [str(version) for version in versions if version != installed][: parts.RELEASES_SHOWN]
    say = partial(translation.say, version=installed, names=translation.enumerate(others))
    is_reminded = any(context.reminders.admit(one.update) for one in closures)
    said = translation.join(
        say("{version} is installed. That settles {names}.") if others else say("{version} is installed."),
        say("There will be no more reminders.") if is_reminded else "",
    )
    title, blocks = say("Mastodon {version} is installed"), (Paragraph(said), *parts.other_releases((), context))
    return Content(subject=f"[{context.instance}] {title}", blocks=blocks)
