"""The message about the end of a branch's support: the date and the upgrade route."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from mastodon_update_check.domain.notices import SupportNotice, SupportStage
from mastodon_update_check.domain.routes import RELEASES_URL, find_route
from mastodon_update_check.messages.content import Block, Content, MessageContext, Paragraph, Pointer
from mastodon_update_check.messages.release_parts import (
    admin_pointer,
    draw,
    has_ended,
    point_to_steps,
    support_sentence,
)


def write_support_content(support: SupportNotice, context: MessageContext) -> Content:
    """Write the message about one support notice."""
    is_over, translation = has_ended(support, context.now), context.translation
    wait = timedelta(weeks=-2) if support.stage is SupportStage.THREE_MONTHS else timedelta(days=1)
    next_on = translation.short_date(support.ends_on + wait)
    return Content(
        subject=_subject(support, context),
        blocks=(
            Paragraph(translation.join(_write_installed(support, context), support_sentence(support, context))),
            *_way_out(support, context),
            *([] if is_over else [Paragraph(translation.say("Next message about this: {date}.", date=next_on))]),
            *admin_pointer(context),
        ),
        is_urgent=is_over,
    )


def _subject(support: SupportNotice, context: MessageContext) -> str:
    translation, days = context.translation, (support.ends_on - context.now.date()).days
    say = partial(translation.say, branch=support.branch, date=translation.short_date(support.ends_on))
    count = partial(translation.count, branch=support.branch, date=translation.short_date(support.ends_on))
    if has_ended(support, context.now):
        ended_on = translation.long_date(support.ends_on)
        said = say("upgrade from Mastodon {branch}: support ended on {date}", date=ended_on)
        return f"{translation.label('subject', 'URGENT')} [{context.instance}] {said}"
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
        shortest = translation.say("Shortest way out: {route}.", route=draw(short))
    else:
        until = translation.long_date(nearest.end_of_support_on)
        shortest = translation.say("Shortest way out: {route} (supported until {date}).", route=draw(short), date=until)
    further = translation.say("Furthest: {route}.", route=draw(whole)) if whole != short else ""
    return (
        point_to_steps(translation.join(shortest, further), whole, translation),
        Paragraph(
            translation.say("Minor upgrades migrate the database: make a backup first, and read each release's notes.")
        ),
    )
