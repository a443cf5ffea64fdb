"""The letter about releases: what is new, what else is pending, until when the branch is supported."""

from collections.abc import Sequence

from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.domain.status import has_support_ended
from mastodon_update_check.messages.content import Block, Content, Paragraph
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.directions import direct
from mastodon_update_check.messages.release_parts import (
    RELEASES_NAMED,
    admin_pointer,
    caution,
    installed_branch,
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
from mastodon_update_check.messages.support_content import write_support_letter
from mastodon_update_check.messages.translation import Translation


def write_release_letter(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, around: MessageContext, footer: str
) -> Content:
    """Write the letter; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return write_support_letter(support, around, footer)
    new = order_updates(updates, installed_branch(around))
    blocks: list[Block] = [
        Paragraph(_opening(new, around)),
        list_releases(new, around),
        *direct(new, around),
        *other_releases(new, support, around),
        *caution(new, around),
    ]
    if reminded := reminded_versions(new, around):
        label = around.words.say("Reminders come in 1, 3 and 7 days, then weekly; to stop them:")
        blocks.append(stop_pointer(label, reminded))
    blocks += admin_pointer(around)
    return Content(
        subject=_subject(new, support, around),
        blocks=tuple(blocks),
        footer=footer,
        is_urgent=new[0].urgent or (support is not None and is_urgent(support)),
        language=around.words.language,
    )


def _subject(new: Sequence[UpdateNotice], support: SupportNotice | None, around: MessageContext) -> str:
    first, words = new[0].version, around.words
    if not new[0].urgent:
        names = name_updates(new, RELEASES_NAMED, words)
        said = words.count("Mastodon {names} is out", "Mastodon {names} are out", len(new), names=names)
    elif first in versions_to_act_on(around):
        said = words.say("install Mastodon {version}", version=first)
    else:
        said = words.say("Mastodon {version} is out: see whether it concerns you", version=first)
    mark = urgent_mark(around) if new[0].urgent else ""
    subject = f"{mark}[{around.instance}] {said}{you_run(around)}"
    return subject if support is None else _subject_with_support(subject, support, words)


def _subject_with_support(subject: str, support: SupportNotice, words: Translation) -> str:
    date = words.short_date(support.ends_on)
    if support.stage is SupportStage.ENDED:
        return words.say(
            "{subject}; support for {branch} ended on {date}", subject=subject, branch=support.branch, date=date
        )
    return words.say(
        "{subject}; support for {branch} ends on {date}", subject=subject, branch=support.branch, date=date
    )


def _opening(new: Sequence[UpdateNotice], around: MessageContext) -> str:
    """Say whether it is urgent, and where it applies."""
    headline, branch, words = new[0], installed_branch(around), around.words
    if headline.urgent:
        marked = words.say("Mastodon marks {version} as urgent.", version=headline.version)
        own = headline.version.branch == branch
        return words.join(marked, _own_urgent(around) if own else _foreign_urgent(around))
    if around.knowledge.installed is not None and headline.version.branch == branch:
        return words.join(_own_plain(new, around), _directly(around))
    if len(new) > 1:
        return words.say("New releases of other branches; none is marked urgent.")
    match headline.type:
        case UpdateType.PATCH:
            return words.say(
                "A new patch release of branch {branch}; not marked urgent.", branch=headline.version.branch
            )
        case UpdateType.MAJOR:
            return words.say("A new major release; not marked urgent.")
        case _:
            return words.say("A new minor release; not marked urgent.")


def _own_plain(new: Sequence[UpdateNotice], around: MessageContext) -> str:
    version, words = new[0].version, around.words
    alone = len(new) == 1
    if around.knowledge.installed is not None and around.knowledge.installed.is_prerelease:
        if alone:
            return words.say("A release for your branch; not marked urgent.")
        return words.say("{version} is a release for your branch; not marked urgent.", version=version)
    if alone:
        return words.say("A patch release for your branch; not marked urgent.")
    return words.say("{version} is a patch release for your branch; not marked urgent.", version=version)


def _directly(around: MessageContext) -> str:
    return around.words.say("It installs directly over {installed}.", installed=around.knowledge.installed)


def _own_urgent(around: MessageContext) -> str:
    newer = [update for update in around.knowledge.pending() if update.version.branch != installed_branch(around)]
    if not newer:
        return around.words.say("It is a patch of your branch.")
    return around.words.say(
        "It is a patch of your branch: no need to go to {branch} for it.", branch=newer[-1].version.branch
    )


def _foreign_urgent(around: MessageContext) -> str:
    """Say what an urgent release of another branch means for this server, so far as is known."""
    known, branch, words = around.knowledge, installed_branch(around), around.words
    own = [update for update in known.pending() if update.urgent and update.version.branch == branch]
    if own:
        return words.say("For your branch there is {version}, marked urgent too.", version=own[-1].version)
    if has_support_ended(known, around.now):
        return words.say("Your branch {branch} is out of support: do not wait for a fix of its own.", branch=branch)
    return words.say(
        "It is not of your branch {branch}, for which the update server lists no urgent release.", branch=branch
    )
