"""What letters about releases share: names, lists, what else is pending, how reminders are stopped."""

import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from mastodon_update_check.domain.feeds import is_web_url
from mastodon_update_check.domain.notices import SupportNotice, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.status import urgent_to_act_on
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.messages.content import Paragraph, Pointer, Release, Releases
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.support_content import support_sentence
from mastodon_update_check.messages.translation import ENGLISH, Translation

RELEASES_SHOWN = 20
RELEASES_NAMED = 3
"""In the subject."""
_LINKED_HOSTS = ("github.com", "joinmastodon.org")


def order_updates(updates: Sequence[UpdateNotice], branch: str) -> list[UpdateNotice]:
    """Put updates in the order in which they matter: urgent ones, the own branch, then by branch; newest first."""
    newest_first = sorted(updates, key=lambda update: update.version, reverse=True)
    return sorted(
        newest_first, key=lambda update: (not update.urgent, update.version.branch != branch, update.version.branch_key)
    )


def name_updates(updates: Sequence[UpdateNotice], limit: int, words: Translation = ENGLISH) -> str:
    """Write `4.5.20 (urgent), 4.6.9 and 7 more`."""
    names = [_name(update, words) for update in updates[:limit]]
    left = len(updates) - len(names)
    return words.enumerate([*names, words.count("{number} more", "{number} more", left)] if left else names)


def _name(update: UpdateNotice, words: Translation) -> str:
    return words.say("{version} (urgent)", version=update.version) if update.urgent else str(update.version)


def caution(new: Sequence[UpdateNotice], around: MessageContext) -> tuple[Paragraph, ...]:
    """Say what nobody says of an urgent release."""
    if not new[0].urgent:
        return ()
    text = around.words.say(
        "The update server does not say what is fixed, or whether only containers are affected: read the release "
        "notes. When you install it, restart Sidekiq too."
    )
    return (Paragraph(text),)


def admin_pointer(around: MessageContext) -> tuple[Pointer, ...]:
    """Point to Mastodon's page of pending updates, if there is one."""
    label = around.words.say("All pending updates:")
    return (Pointer(label, around.admin_url),) if around.admin_url else ()


def may_link(url: str, update_host: str) -> bool:
    """Whether a URL from the feed may be a link; elsewhere it is shown as text (DESIGN.md, section 7)."""
    if not is_web_url(url):
        return False
    host = urlsplit(url).hostname or ""
    return host in {*_LINKED_HOSTS, update_host} or host.endswith(".joinmastodon.org")


def reminded_versions(updates: Sequence[UpdateNotice], around: MessageContext) -> tuple[str, ...]:
    """Name the updates of which there will be reminders: of each branch the newest."""
    now = versions_to_act_on(around)
    found: dict[str, str] = {}
    for update in order_updates(updates, ""):
        if around.reminders.admit(update) and (around.reminders is FollowUps.ALL or update.version in now):
            found.setdefault(update.version.branch, str(update.version))
    return tuple(found.values())


def stop_pointer(label: str, versions: Sequence[str]) -> Pointer:
    """Say how reminders are stopped."""
    return Pointer(label, f"sudo mastodon-update-check skip {shlex.join(versions)}", is_link=False)


def you_run(around: MessageContext) -> str:
    """Write ` (you run 4.5.19)`, as far as that is known."""
    installed = around.knowledge.installed
    return " " + around.words.say("(you run {installed})", installed=installed.text) if installed else ""


def urgent_mark(around: MessageContext) -> str:
    """Return what an urgent subject begins with."""
    return around.words.label("subject", "URGENT") + " "


def installed_branch(around: MessageContext) -> str:
    """Return the branch that runs; empty when it is not known."""
    installed = around.knowledge.installed
    return installed.branch if installed else ""


def versions_to_act_on(around: MessageContext) -> set[MastodonVersion]:
    """Return the urgent versions that call for action."""
    return {update.version for update in urgent_to_act_on(around.knowledge, around.now)}


def list_releases(new: Sequence[UpdateNotice], around: MessageContext) -> Releases:
    """Return the list of what is new."""
    return Releases(_release_rows(new, around), notes_label=around.words.say("Release notes"))


def _release_rows(new: Sequence[UpdateNotice], around: MessageContext) -> tuple[Release, ...]:
    now, words = versions_to_act_on(around), around.words
    when = words.label("when to install", "now"), words.label("when to install", "later")
    in_order = any(update.version in now for update in new)
    shown = tuple(
        _row(update, when[update.version not in now] if in_order else "", around) for update in new[:RELEASES_SHOWN]
    )
    left = len(new) - len(shown)
    more = words.count("and {number} more", "and {number} more", left)
    return (*shown, Release(version=more, label="")) if left else shown


def _row(update: UpdateNotice, when: str, around: MessageContext) -> Release:
    ends_on, words = update.end_of_support_on, around.words
    is_own = update.version.branch == installed_branch(around)
    return Release(
        when=when,
        version=str(update.version),
        label=_kind(update, words),
        url=update.release_notes,
        is_link=may_link(update.release_notes, around.update_host),
        note=words.say("supported until {date}", date=words.long_date(ends_on)) if ends_on and not is_own else "",
        is_urgent=update.urgent,
    )


def _kind(update: UpdateNotice, words: Translation) -> str:
    if update.urgent:
        return words.label("release", "urgent")
    match update.type:
        case UpdateType.PATCH:
            return words.label("release", "patch")
        case UpdateType.MINOR:
            return words.label("release", "minor")
        case UpdateType.MAJOR:
            return words.label("release", "major")
        case None:
            return ""


def other_releases(
    new: Sequence[UpdateNotice], support: SupportNotice | None, around: MessageContext
) -> tuple[Paragraph, ...]:
    """Name what is pending besides, which the recipient knows of or did not ask for, and the support date."""
    said = {update.version for update in new}
    others = [update for update in around.knowledge.unskipped() if update.version not in said]
    named = _list_others(order_updates(others, installed_branch(around)), around.words)
    text = around.words.join(named, _support(support, around))
    return (Paragraph(text),) if text else ()


def _list_others(others: Sequence[UpdateNotice], words: Translation) -> str:
    if not others:
        return ""
    names = name_updates(others, RELEASES_SHOWN, words)
    if any(one.urgent for one in others):
        return words.say("Also out: {names}.", names=names)
    return words.say("Also out, not marked urgent: {names}.", names=names)


def _support(told: SupportNotice | None, around: MessageContext) -> str:
    support = told or around.knowledge.support_at(around.now)
    if support is not None and (told is not None or is_urgent(support)):
        return support_sentence(support, around)
    ends_on, words = around.knowledge.support_ends_on, around.words
    if ends_on is None:
        return ""
    return words.say(
        "Branch {branch} gets fixes until {date}.", branch=installed_branch(around), date=words.long_date(ends_on)
    )
