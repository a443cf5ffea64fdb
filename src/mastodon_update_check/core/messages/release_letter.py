"""The letter about releases: what is new, what else is pending, until when the branch is supported."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from mastodon_update_check.core.messages.letter import (
    Block,
    Letter,
    Paragraph,
    Pointer,
    Release,
    Releases,
    enumerate_words,
    long_date,
    short_date,
)
from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.notices import SupportNotice, SupportStage, UpdateNotice, UpdateType
from mastodon_update_check.core.routes import find_route

RELEASES_SHOWN = 20
_LINKED_HOSTS = ("github.com", "joinmastodon.org")


def order_updates(updates: Sequence[UpdateNotice], branch: str) -> list[UpdateNotice]:
    """Put updates in the order in which they matter: urgent ones, the own branch, then the rest by version."""
    by_version = sorted(updates, key=lambda update: update.version)
    return sorted(by_version, key=lambda update: (not update.urgent, update.version.branch != branch))


def write_release_letter(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, around: Surroundings, footer: str
) -> Letter:
    """Write the letter; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return _write_support_letter(support, around, footer)
    branch = around.knowledge.installed.branch if around.knowledge.installed else ""
    new = order_updates(updates, branch)
    headline = new[0]
    blocks: list[Block] = [
        Paragraph(_opening(headline, branch, around)),
        Releases(_release_rows(new, headline, around)),
        *_other_releases(new, branch, around),
    ]
    if headline.urgent:
        blocks.append(
            Paragraph(
                "The update server does not say what is fixed, or whether only containers are affected: read the "
                "release notes. Restart Sidekiq too."
            )
        )
    if support is not None:
        blocks.append(Paragraph(_support_sentence(support)))
    blocks.extend(_pointers(around))
    return Letter(subject=_subject(new, around), blocks=tuple(blocks), footer=footer, is_urgent=headline.urgent)


def _subject(new: Sequence[UpdateNotice], around: Surroundings) -> str:
    headline = new[0]
    if headline.urgent:
        return f"URGENT [{around.instance}] install Mastodon {headline.version}{_you_run(around)}"
    if len(new) == 1:
        return f"[{around.instance}] Mastodon {headline.version} is out{_you_run(around)}"
    named = tuple(str(update.version) for update in new[:3])
    names = enumerate_words(named) if len(new) <= len(named) else f"{', '.join(named)} and {len(new) - 3} more"
    return f"[{around.instance}] Mastodon {names} are out{_you_run(around)}"


def _you_run(around: Surroundings) -> str:
    installed = around.knowledge.installed
    return f" (you run {installed.text})" if installed else ""


def _opening(headline: UpdateNotice, branch: str, around: Surroundings) -> str:
    version = headline.version
    if headline.urgent and version.branch == branch:
        newer = [other for other in around.knowledge.pending() if other.version.branch != branch]
        beyond = f": no need to go to {newer[-1].version.branch} for it" if newer else ""
        return f"Mastodon marks {version} as urgent. It is a patch of your branch{beyond}."
    if headline.urgent:
        return (
            f"Mastodon marks {version} as urgent. The update server lists no urgent release of your branch {branch}: "
            "the release notes tell whether it concerns you."
        )
    if headline.type is UpdateType.PATCH and version.branch == branch:
        return (
            f"A patch release for your branch; not marked urgent. Installs directly over {around.knowledge.installed}."
        )
    return f"A new {headline.type or 'release'} version; not marked urgent.".replace("release version", "release")


def _release_rows(new: Sequence[UpdateNotice], headline: UpdateNotice, around: Surroundings) -> tuple[Release, ...]:
    shown = [_row(update, "now" if update.urgent else "later" if headline.urgent else "", around) for update in new]
    left = len(shown) - RELEASES_SHOWN
    if left <= 0:
        return tuple(shown)
    return (*shown[:RELEASES_SHOWN], Release(version=f"and {left} more", label=""))


def _row(update: UpdateNotice, when: str, around: Surroundings) -> Release:
    installed = around.knowledge.installed
    route = find_route(installed, [update]) if installed else ()
    ends_on = update.end_of_support_on
    notes = (
        f"by way of {enumerate_words(route[:-1])}" if len(route) > 1 else "",
        f"supported until {long_date(ends_on)}" if ends_on else "",
    )
    return Release(
        when=when,
        version=str(update.version),
        label="urgent" if update.urgent else str(update.type or ""),
        url=update.release_notes,
        is_link=may_link(update.release_notes, around.update_host),
        note="; ".join(note for note in notes if note),
        is_urgent=update.urgent,
    )


def may_link(url: str, update_host: str) -> bool:
    """Whether a URL from the feed may be a link; elsewhere it is shown as text (DESIGN.md, section 7)."""
    host = (urlsplit(url).hostname or "") if url else ""
    return host != "" and (host in {*_LINKED_HOSTS, update_host} or host.endswith(".joinmastodon.org"))


def _other_releases(new: Sequence[UpdateNotice], branch: str, around: Surroundings) -> list[Block]:
    """Name what is pending besides: those the recipient knows of already, or did not ask to be told of."""
    said = {update.version for update in new}
    others = order_updates([update for update in around.knowledge.pending() if update.version not in said], branch)
    sentences = []
    if others:
        names = ", ".join(
            f"{update.version} (urgent)" if update.urgent else str(update.version) for update in others[:RELEASES_SHOWN]
        )
        more = f" and {len(others) - RELEASES_SHOWN} more" if len(others) > RELEASES_SHOWN else ""
        hurry = "" if any(update.urgent for update in others) else ", no hurry"
        sentences.append(f"Also out{hurry}: {names}{more}.")
    ends_on = around.knowledge.support_ends_on
    if ends_on is not None and ends_on >= around.now.date():
        sentences.append(f"Branch {branch} gets fixes until {long_date(ends_on)}.")
    return [Paragraph(" ".join(sentences))] if sentences else []


def _write_support_letter(support: SupportNotice, around: Surroundings, footer: str) -> Letter:
    installed = around.knowledge.installed
    pending = around.knowledge.pending()
    days = (support.ends_on - around.now.date()).days
    ended = support.stage is SupportStage.ENDED
    when = (
        f"ended on {long_date(support.ends_on)}" if ended else f"ends {_in_days(days)} ({short_date(support.ends_on)})"
    )
    newest = " the newest release of its branch" if not any(u.version.branch == support.branch for u in pending) else ""
    blocks: list[Block] = [
        Paragraph(
            f"You run {installed or support.branch}{',' + newest if newest else ''}. {_support_sentence(support)}"
        )
    ]
    route = find_route(installed, pending) if installed else ()
    if route:
        blocks.append(Paragraph(f"The way to a newer branch: {' > '.join(route)}."))
        blocks.append(
            Paragraph("Minor upgrades migrate the database: make a backup first, and read each release's notes.")
        )
    blocks.extend(_pointers(around))
    prefix = "URGENT " if ended else ""
    return Letter(
        subject=f"{prefix}[{around.instance}] Support for Mastodon {support.branch} {when}",
        blocks=tuple(blocks),
        footer=footer,
        is_urgent=ended,
    )


def _in_days(days: int) -> str:
    if days <= 0:
        return "today"
    return "tomorrow" if days == 1 else f"in {days} days"


def _support_sentence(support: SupportNotice) -> str:
    if support.stage is SupportStage.ENDED:
        return (
            f"Support for {support.branch} ended on {long_date(support.ends_on)}: "
            "do not count on fixes any more, even urgent ones."
        )
    return (
        f"Support for {support.branch} ends on {long_date(support.ends_on)}: "
        "do not count on fixes after that day, even urgent ones."
    )


def _pointers(around: Surroundings) -> list[Block]:
    return [Pointer("All pending updates:", around.admin_url)] if around.admin_url else []
