"""Parts that messages about releases share: names, lists, other pending releases, how to stop reminders."""

import shlex
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.domain.urls import is_printable_url
from mastodon_update_check.messages.content import Content, MessageContext, Paragraph, Pointer, Release, Releases
from mastodon_update_check.messages.release_details import write_details
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK, Translation

RELEASES_SHOWN = 20
RELEASES_NAMED = 3
STEPS = "sudo mastodon-update-check route"
_REPOSITORY = "/mastodon/mastodon/"


def order_updates(updates: Sequence[UpdateNotice], branch: str) -> list[UpdateNotice]:
    """Put updates in the order in which they matter: urgent ones, the own branch, then by branch; newest first."""
    newest_first = sorted(updates, key=lambda update: update.version, reverse=True)
    return sorted(
        newest_first, key=lambda update: (not update.urgent, update.version.branch != branch, update.version.branch_key)
    )


def name_updates(updates: Sequence[UpdateNotice], limit: int, translation: Translation = ENGLISH) -> str:
    """Write `4.5.20 (urgent), 4.6.9 and 7 more`."""
    names = [
        translation.say("{version} (urgent)", version=one.version) if one.urgent else str(one.version)
        for one in updates[:limit]
    ]
    left = len(updates) - len(names)
    return translation.enumerate([*names, translation.count("{number} more", "{number} more", left)] if left else names)


def write_list(updates: Sequence[UpdateNotice], opening: str, said: str, context: MessageContext) -> Content:
    """Write a message about updates, the most important first; the subject `said` has no server and version."""
    reminded, installed, translation = _reminded_versions(updates, context), context.installed, context.translation
    label = translation.say("Reminders come in 1, 3 and 7 days, then weekly; to stop them:")
    stop = f"sudo mastodon-update-check skip {shlex.join(reminded)}"
    mark = translation.label("subject", "URGENT") + " " if updates[0].urgent else ""
    runs = " " + translation.say("(you run {installed})", installed=installed.text) if installed else ""
    return Content(
        subject=f"{mark}[{context.instance}] {said}{runs}",
        blocks=(
            Paragraph(opening),
            Releases(_release_rows(updates, context), notes_label=translation.say("Release notes")),
            *write_details(updates[0], context),
            *_direct(updates, context),
            *other_releases(updates, context),
            *([Pointer(label, stop, is_link=False)] if reminded else []),
            *admin_pointer(context),
        ),
        is_urgent=updates[0].urgent,
    )


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


def _reminded_versions(updates: Sequence[UpdateNotice], context: MessageContext) -> tuple[str, ...]:
    """Name the updates of which there will be reminders: of each branch the newest."""
    now = context.versions_to_act_on
    found: dict[str, str] = {}
    for update in order_updates(updates, ""):
        if context.reminders.admit(update) and (context.reminders is FollowUps.ALL or update.version in now):
            found.setdefault(update.version.branch, str(update.version))
    return tuple(found.values())


def _release_rows(new: Sequence[UpdateNotice], context: MessageContext) -> tuple[Release, ...]:
    now, translation = context.versions_to_act_on, context.translation
    when = translation.label("when to install", "now"), translation.label("when to install", "later")
    in_order = any(update.version in now for update in new)
    shown = tuple(
        describe_release(update, when[update.version not in now] if in_order else "", context)
        for update in new[:RELEASES_SHOWN]
    )
    left = len(new) - len(shown)
    more = translation.count("and {number} more", "and {number} more", left)
    return (*shown, Release(version=more, label="")) if left else shown


def describe_release(update: UpdateNotice, when: str, context: MessageContext) -> Release:
    """Return the line of one release in a list."""
    ends_on, translation = update.end_of_support_on, context.translation
    is_own = update.version.branch == context.branch
    types = {
        UpdateType.PATCH: translation.label("release", "patch"),
        UpdateType.MINOR: translation.label("release", "minor"),
        UpdateType.MAJOR: translation.label("release", "major"),
    }
    named = types[update.type] if update.type else ""
    return Release(
        when=when,
        version=str(update.version),
        label=translation.label("release", "urgent") if update.urgent else named,
        url=update.release_notes,
        is_link=may_link(update.release_notes, context.update_host),
        note=translation.say("supported until {date}", date=translation.long_date(ends_on))
        if ends_on and not is_own
        else "",
        is_urgent=update.urgent,
    )


def other_releases(new: Sequence[UpdateNotice], context: MessageContext) -> tuple[Paragraph, ...]:
    """Name the other pending releases, and the support date."""
    said = {update.version for update in new}
    others = [update for update in context.knowledge.unskipped() if update.version not in said]
    names = name_updates(order_updates(others, context.branch), RELEASES_SHOWN, context.translation)
    say = partial(context.translation.say, names=names)
    if any(one.urgent for one in others):
        named = say("Also out: {names}.")
    else:
        named = say("Also out, not marked urgent: {names}.") if others else ""
    text = context.translation.join(named, _support(context))
    return (Paragraph(text),) if text else ()


def _support(context: MessageContext) -> str:
    support = context.notified_support or context.knowledge.support_at(context.now)
    if support is not None and (context.notified_support or is_urgent(support)):
        return support_sentence(support, context)
    ends_on, translation = context.knowledge.support_ends_on, context.translation
    if ends_on is None:
        return ""
    return translation.say(
        "Branch {branch} gets fixes until {date}.", branch=context.branch, date=translation.long_date(ends_on)
    )


def support_sentence(support: SupportNotice, context: MessageContext) -> str:
    """Say when support ends or ended, and what that means."""
    say = partial(context.translation.say, branch=support.branch, date=context.translation.long_date(support.ends_on))
    if has_ended(support, context.now):
        return say("Support for {branch} ended on {date}: do not count on fixes any more, even urgent ones.")
    return say("Support for {branch} ends on {date}: do not count on fixes after that day, even urgent ones.")


def has_ended(support: SupportNotice, now: datetime) -> bool:
    """Return whether support has ended: by the notice, or by now, if the message has waited since it was planned."""
    return support.stage is SupportStage.ENDED or support.ends_on < now.date()


def _direct(new: Sequence[UpdateNotice], context: MessageContext) -> tuple[Pointer, ...]:
    """Say what to deploy, in which order, on the way to the newest of these; nothing when that is one release."""
    installed, translation = context.installed, context.translation
    if installed is None:
        return ()
    goal = max(update.version for update in new)
    # What is skipped is not mentioned, but where it has to be passed.
    passed = [one for one in context.knowledge.pending() if one.version.branch != installed.branch]
    known = [one for one in (*context.knowledge.unskipped(), *passed) if one.version <= goal]
    route = find_route(installed, [*known, *new])
    if len(route) == 1:
        return ()
    said = translation.say("The route to {version}, one after the other: {route}.", version=goal, route=draw(route))
    return (point_to_steps(said, route, translation),)


def draw(route: Sequence[str]) -> str:
    """Write `4.5.20 > 4.6.9 > 4.7.6`."""
    return f"{NO_BREAK}> ".join(route)


def point_to_steps(said: str, route: Sequence[str], translation: Translation) -> Pointer:
    """Say the route, what an `x` in it means, and where the steps are."""
    unlisted = any(release.endswith(".x") for release in route)
    newest = translation.say("x is the newest patch of that branch.") if unlisted else ""
    return Pointer(translation.join(said, newest, translation.say("For the steps, run:")), STEPS, is_link=False)
