"""The message about releases: what is new, what else is pending, until when the branch is supported."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice, is_urgent
from mastodon_update_check.domain.server.status import has_support_ended
from mastodon_update_check.messages.content import Content
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.release_parts import RELEASES_NAMED, name_updates, order_updates, write_list
from mastodon_update_check.messages.support_content import write_support_content
from mastodon_update_check.messages.translation import Translation


def write_update_content(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext
) -> Content:
    """Write the message; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return write_support_content(support, context)
    new, translation = order_updates(updates, context.branch), context.translation
    around = replace(context, notified_support=support)
    content = write_list(new, _opening(new, context), _subject(new, context), around)
    if support is None:
        return content
    subject = _subject_with_support(content.subject, support, translation)
    return replace(content, subject=subject, is_urgent=content.is_urgent or is_urgent(support))


def _subject(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    first, translation = new[0].version, context.translation
    if not new[0].urgent:
        names = name_updates(new, RELEASES_NAMED, translation)
        return translation.count("Mastodon {names} is out", "Mastodon {names} are out", len(new), names=names)
    if first in context.versions_to_act_on:
        return translation.say("install Mastodon {version}", version=first)
    return translation.say("Mastodon {version} is out: see whether it concerns you", version=first)


def _subject_with_support(subject: str, support: SupportNotice, translation: Translation) -> str:
    date = translation.short_date(support.ends_on)
    say = partial(translation.say, subject=subject, branch=support.branch, date=date)
    if support.stage is SupportStage.ENDED:
        return say("{subject}; support for {branch} ended on {date}")
    return say("{subject}; support for {branch} ends on {date}")


def _opening(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    headline, branch, translation = new[0], context.branch, context.translation
    if headline.urgent:
        marked = translation.say("Mastodon marks {version} as urgent.", version=headline.version)
        own = headline.version.branch == branch
        return translation.join(marked, _own_urgent(context) if own else _foreign_urgent(context))
    if headline.version.branch == branch:
        return translation.join(
            translation.say("{version} is a release for your branch; not marked urgent.", version=headline.version),
            translation.say("It installs directly over {installed}.", installed=context.installed),
        )
    if len(new) > 1:
        return translation.say("New releases of other branches; none is marked urgent.")
    return translation.say("A new release of branch {branch}; not marked urgent.", branch=headline.version.branch)


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
