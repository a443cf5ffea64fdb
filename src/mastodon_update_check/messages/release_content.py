"""The message about releases: what is new, what else is pending, until when the branch is supported."""

from collections.abc import Sequence

from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.domain.server.status import has_support_ended
from mastodon_update_check.messages.content import Block, Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.directions import direct
from mastodon_update_check.messages.release_details import describe_details
from mastodon_update_check.messages.release_parts import (
    RELEASES_NAMED,
    admin_pointer,
    list_releases,
    name_updates,
    order_updates,
    other_releases,
    reminded_versions,
    stop_pointer,
    urgent_mark,
    you_run,
)
from mastodon_update_check.messages.support_content import write_support_content
from mastodon_update_check.messages.translation import Translation


def write_update_content(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext
) -> Content:
    """Write the message; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return write_support_content(support, context)
    new = order_updates(updates, context.branch)
    blocks: list[Block] = [
        Paragraph(_opening(new, context)),
        list_releases(new, context),
        *describe_details(new[0], context),
        *direct(new, context),
        *other_releases(new, support, context),
    ]
    if reminded := reminded_versions(new, context):
        label = context.translation.say("Reminders come in 1, 3 and 7 days, then weekly; to stop them:")
        blocks.append(stop_pointer(label, reminded))
    blocks += admin_pointer(context)
    return Content(
        subject=_subject(new, support, context),
        blocks=tuple(blocks),
        is_urgent=new[0].urgent or (support is not None and is_urgent(support)),
    )


def _subject(new: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext) -> str:
    first, translation = new[0].version, context.translation
    if not new[0].urgent:
        names = name_updates(new, RELEASES_NAMED, translation)
        said = translation.count("Mastodon {names} is out", "Mastodon {names} are out", len(new), names=names)
    elif first in context.versions_to_act_on:
        said = translation.say("install Mastodon {version}", version=first)
    else:
        said = translation.say("Mastodon {version} is out: see whether it concerns you", version=first)
    mark = urgent_mark(context) if new[0].urgent else ""
    subject = f"{mark}[{context.instance}] {said}{you_run(context)}"
    return subject if support is None else _subject_with_support(subject, support, translation)


def _subject_with_support(subject: str, support: SupportNotice, translation: Translation) -> str:
    date = translation.short_date(support.ends_on)
    if support.stage is SupportStage.ENDED:
        return translation.say(
            "{subject}; support for {branch} ended on {date}", subject=subject, branch=support.branch, date=date
        )
    return translation.say(
        "{subject}; support for {branch} ends on {date}", subject=subject, branch=support.branch, date=date
    )


def _opening(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    """Say whether it is urgent, and where it applies."""
    headline, branch, translation = new[0], context.branch, context.translation
    if headline.urgent:
        marked = translation.say("Mastodon marks {version} as urgent.", version=headline.version)
        own = headline.version.branch == branch
        return translation.join(marked, _own_urgent(context) if own else _foreign_urgent(context))
    if headline.version.branch == branch:
        return _own_plain(new, context)
    if len(new) > 1:
        return translation.say("New releases of other branches; none is marked urgent.")
    match headline.type:
        case UpdateType.PATCH:
            return translation.say(
                "A new patch release of branch {branch}; not marked urgent.", branch=headline.version.branch
            )
        case UpdateType.MAJOR:
            return translation.say("A new major release; not marked urgent.")
        case _:
            return translation.say("A new minor release; not marked urgent.")


def _own_plain(new: Sequence[UpdateNotice], context: MessageContext) -> str:
    installed, translation = context.installed, context.translation
    is_patch, is_alone = installed is None or not installed.is_prerelease, len(new) == 1
    version = new[0].version
    if is_alone and is_patch:
        said = translation.say("A patch release for your branch; not marked urgent.")
    elif is_alone:
        said = translation.say("A release for your branch; not marked urgent.")
    elif is_patch:
        said = translation.say("{version} is a patch release for your branch; not marked urgent.", version=version)
    else:
        said = translation.say("{version} is a release for your branch; not marked urgent.", version=version)
    return translation.join(said, translation.say("It installs directly over {installed}.", installed=installed))


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
    """Say what an urgent release of another branch means for this server, as far as is known."""
    known, branch, translation = context.knowledge, context.branch, context.translation
    own = [update for update in known.pending() if update.urgent and update.version.branch == branch]
    if own:
        return translation.say("For your branch there is {version}, marked urgent too.", version=own[-1].version)
    if has_support_ended(known, context.now):
        return translation.say(
            "Your branch {branch} is out of support: do not wait for a fix of its own.", branch=branch
        )
    return translation.say(
        "It is not of your branch {branch}, for which the update server lists no urgent release.", branch=branch
    )
