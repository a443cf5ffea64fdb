"""Parts that messages about releases share: names, lists, other pending releases, how to stop reminders."""

import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from mastodon_update_check.domain.notices import SupportNotice, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.urls import is_printable_url
from mastodon_update_check.messages.content import Paragraph, Pointer, Release, Releases
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.support_content import support_sentence
from mastodon_update_check.messages.translation import ENGLISH, Translation

RELEASES_SHOWN = 20
RELEASES_NAMED = 3
"""In the subject."""
_REPOSITORY = "/mastodon/mastodon/"


def order_updates(updates: Sequence[UpdateNotice], branch: str) -> list[UpdateNotice]:
    """Put updates in the order in which they matter: urgent ones, the own branch, then by branch; newest first."""
    newest_first = sorted(updates, key=lambda update: update.version, reverse=True)
    return sorted(
        newest_first, key=lambda update: (not update.urgent, update.version.branch != branch, update.version.branch_key)
    )


def name_updates(updates: Sequence[UpdateNotice], limit: int, translation: Translation = ENGLISH) -> str:
    """Write `4.5.20 (urgent), 4.6.9 and 7 more`."""
    names = [_name(update, translation) for update in updates[:limit]]
    left = len(updates) - len(names)
    return translation.enumerate([*names, translation.count("{number} more", "{number} more", left)] if left else names)


def _name(update: UpdateNotice, translation: Translation) -> str:
    return translation.say("{version} (urgent)", version=update.version) if update.urgent else str(update.version)


def admin_pointer(context: MessageContext) -> tuple[Pointer, ...]:
    """Point to Mastodon's page of pending updates, if there is one."""
    label = context.translation.say("All pending updates:")
    return (Pointer(label, context.admin_url),) if context.admin_url else ()


def may_link(url: str, update_host: str) -> bool:
    """Return whether a URL from the feed may be a link; elsewhere it is shown as text."""
    if not is_printable_url(url):
        return False
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "github.com":
        return parts.path.startswith(_REPOSITORY) and not any(mark in parts.path for mark in ("%", "/."))
    return host in {"joinmastodon.org", update_host} or host.endswith(".joinmastodon.org")


def reminded_versions(updates: Sequence[UpdateNotice], context: MessageContext) -> tuple[str, ...]:
    """Name the updates of which there will be reminders: of each branch the newest."""
    now = context.versions_to_act_on
    found: dict[str, str] = {}
    for update in order_updates(updates, ""):
        if context.reminders.admit(update) and (context.reminders is FollowUps.ALL or update.version in now):
            found.setdefault(update.version.branch, str(update.version))
    return tuple(found.values())


def stop_pointer(label: str, versions: Sequence[str]) -> Pointer:
    """Say how reminders are stopped."""
    return Pointer(label, f"sudo mastodon-update-check skip {shlex.join(versions)}", is_link=False)


def you_run(context: MessageContext) -> str:
    """Write ` (you run 4.5.19)`, as far as that is known."""
    installed = context.installed
    return " " + context.translation.say("(you run {installed})", installed=installed.text) if installed else ""


def urgent_mark(context: MessageContext) -> str:
    """Return what an urgent subject begins with."""
    return context.translation.label("subject", "URGENT") + " "


def list_releases(new: Sequence[UpdateNotice], context: MessageContext) -> Releases:
    """Return the list of what is new."""
    return Releases(_release_rows(new, context), notes_label=context.translation.say("Release notes"))


def _release_rows(new: Sequence[UpdateNotice], context: MessageContext) -> tuple[Release, ...]:
    now, translation = context.versions_to_act_on, context.translation
    when = translation.label("when to install", "now"), translation.label("when to install", "later")
    in_order = any(update.version in now for update in new)
    shown = tuple(
        _row(update, when[update.version not in now] if in_order else "", context) for update in new[:RELEASES_SHOWN]
    )
    left = len(new) - len(shown)
    more = translation.count("and {number} more", "and {number} more", left)
    return (*shown, Release(version=more, label="")) if left else shown


def _row(update: UpdateNotice, when: str, context: MessageContext) -> Release:
    ends_on, translation = update.end_of_support_on, context.translation
    is_own = update.version.branch == context.branch
    return Release(
        when=when,
        version=str(update.version),
        label=_kind(update, translation),
        url=update.release_notes,
        is_link=may_link(update.release_notes, context.update_host),
        note=translation.say("supported until {date}", date=translation.long_date(ends_on))
        if ends_on and not is_own
        else "",
        is_urgent=update.urgent,
    )


def _kind(update: UpdateNotice, translation: Translation) -> str:
    if update.urgent:
        return translation.label("release", "urgent")
    kinds = {
        UpdateType.PATCH: translation.label("release", "patch"),
        UpdateType.MINOR: translation.label("release", "minor"),
        UpdateType.MAJOR: translation.label("release", "major"),
    }
    return kinds[update.type] if update.type else ""


def other_releases(
    new: Sequence[UpdateNotice], support: SupportNotice | None, context: MessageContext
) -> tuple[Paragraph, ...]:
    """Name the other pending releases, and the support date."""
    said = {update.version for update in new}
    others = [update for update in context.knowledge.unskipped() if update.version not in said]
    named = _list_others(order_updates(others, context.branch), context.translation)
    text = context.translation.join(named, _support(support, context))
    return (Paragraph(text),) if text else ()


def _list_others(others: Sequence[UpdateNotice], translation: Translation) -> str:
    if not others:
        return ""
    names = name_updates(others, RELEASES_SHOWN, translation)
    if any(one.urgent for one in others):
        return translation.say("Also out: {names}.", names=names)
    return translation.say("Also out, not marked urgent: {names}.", names=names)


def _support(notified: SupportNotice | None, context: MessageContext) -> str:
    support = notified or context.knowledge.support_at(context.now)
    if support is not None and (notified is not None or is_urgent(support)):
        return support_sentence(support, context)
    ends_on, translation = context.knowledge.support_ends_on, context.translation
    if ends_on is None:
        return ""
    return translation.say(
        "Branch {branch} gets fixes until {date}.",
        branch=context.branch,
        date=translation.long_date(ends_on),
    )
