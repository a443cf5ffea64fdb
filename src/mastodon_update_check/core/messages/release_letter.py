"""The letter about releases: what is new, what else is pending, until when the branch is supported."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from mastodon_update_check.core.feeds import is_web_url
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
from mastodon_update_check.core.messages.support_letter import support_sentence, write_support_letter
from mastodon_update_check.core.messages.surroundings import Surroundings
from mastodon_update_check.core.notices import SupportNotice, SupportStage, UpdateNotice, UpdateType, is_urgent
from mastodon_update_check.core.recipients import FollowUps
from mastodon_update_check.core.routes import find_route
from mastodon_update_check.core.status import has_support_ended, urgent_to_act_on
from mastodon_update_check.core.versions import MastodonVersion

CAUTION = Paragraph(
    "The update server does not say what is fixed, or whether only containers are affected: read the release notes. "
    "When you install it, restart Sidekiq too."
)
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


def name_updates(updates: Sequence[UpdateNotice], limit: int) -> str:
    """Write `4.5.20 (urgent), 4.6.9 and 7 more`."""
    words = [f"{update.version}{' (urgent)' if update.urgent else ''}" for update in updates[:limit]]
    left = len(updates) - len(words)
    return enumerate_words((*words, f"{left} more") if left else tuple(words))


def write_release_letter(
    updates: Sequence[UpdateNotice], support: SupportNotice | None, around: Surroundings, footer: str
) -> Letter:
    """Write the letter; `updates` and `support` are what is new for this recipient, at least one of them given."""
    if not updates and support is not None:
        return write_support_letter(support, around, footer)
    new = order_updates(updates, _branch(around))
    blocks: list[Block] = [
        Paragraph(_opening(new, around)),
        Releases(release_rows(new, around)),
        *other_releases(new, support, around),
    ]
    if new[0].urgent:
        blocks.append(CAUTION)
    if reminded := reminded_versions(new, around):
        blocks.append(stop_pointer("Reminders come in 1, 3 and 7 days, then weekly; to stop them:", reminded))
    if around.admin_url:
        blocks.append(Pointer("All pending updates:", around.admin_url))
    return Letter(
        subject=_subject(new, support, around),
        blocks=tuple(blocks),
        footer=footer,
        is_urgent=new[0].urgent or (support is not None and is_urgent(support)),
    )


def may_link(url: str, update_host: str) -> bool:
    """Whether a URL from the feed may be a link; elsewhere it is shown as text (DESIGN.md, section 7)."""
    if not is_web_url(url):
        return False
    host = urlsplit(url).hostname or ""
    return host in {*_LINKED_HOSTS, update_host} or host.endswith(".joinmastodon.org")


def reminded_versions(updates: Sequence[UpdateNotice], around: Surroundings) -> tuple[str, ...]:
    """Name the updates of which there will be reminders: of each branch the newest."""
    now = versions_to_act_on(around)
    found: dict[str, str] = {}
    for update in order_updates(updates, ""):
        if around.reminders.admit(update) and (around.reminders is FollowUps.ALL or update.version in now):
            found.setdefault(update.version.branch, str(update.version))
    return tuple(found.values())


def stop_pointer(label: str, versions: Sequence[str]) -> Pointer:
    """Say how reminders are stopped."""
    return Pointer(label, f"sudo mastodon-update-check skip {' '.join(versions)}", is_link=False)


def you_run(around: Surroundings) -> str:
    """Write ` (you run 4.5.19)`, as far as that is known."""
    installed = around.knowledge.installed
    return f" (you run {installed.text})" if installed else ""


def _branch(around: Surroundings) -> str:
    installed = around.knowledge.installed
    return installed.branch if installed else ""


def versions_to_act_on(around: Surroundings) -> set[MastodonVersion]:
    """Return the urgent versions that call for action."""
    return {update.version for update in urgent_to_act_on(around.knowledge, around.now)}


def _subject(new: Sequence[UpdateNotice], support: SupportNotice | None, around: Surroundings) -> str:
    first, running = new[0].version, you_run(around)
    if not new[0].urgent:
        verb = "is" if len(new) == 1 else "are"
        subject = f"[{around.instance}] Mastodon {name_updates(new, RELEASES_NAMED)} {verb} out{running}"
    elif first in versions_to_act_on(around):
        subject = f"URGENT [{around.instance}] install Mastodon {first}{running}"
    else:
        subject = f"URGENT [{around.instance}] Mastodon {first} is out: see whether it concerns you{running}"
    if support is None:
        return subject
    ends = "ended" if support.stage is SupportStage.ENDED else "ends"
    return f"{subject}; support for {support.branch} {ends} on {short_date(support.ends_on)}"


def _opening(new: Sequence[UpdateNotice], around: Surroundings) -> str:
    """Say whether it is urgent, and where it applies."""
    headline, branch, installed = new[0], _branch(around), around.knowledge.installed
    version = headline.version
    if headline.urgent:
        own = version.branch == branch
        return f"Mastodon marks {version} as urgent. {_own_urgent(around) if own else _foreign_urgent(around)}"
    if installed is not None and version.branch == branch:
        which = "A" if len(new) == 1 else f"{version} is a"
        kind = "release" if installed.is_prerelease else "patch release"
        return f"{which} {kind} for your branch; not marked urgent. It installs directly over {installed}."
    if len(new) > 1:
        return "New releases of other branches; none is marked urgent."
    return f"A new {headline.type or UpdateType.MINOR} release; not marked urgent."


def _own_urgent(around: Surroundings) -> str:
    newer = [update for update in around.knowledge.pending() if update.version.branch != _branch(around)]
    beyond = f": no need to go to {newer[-1].version.branch} for it" if newer else ""
    return f"It is a patch of your branch{beyond}."


def _foreign_urgent(around: Surroundings) -> str:
    """Say what an urgent release of another branch means for this server, so far as is known."""
    known, branch = around.knowledge, _branch(around)
    own = [update for update in known.pending() if update.urgent and update.version.branch == branch]
    if own:
        return f"For your branch there is {own[-1].version}, marked urgent too."
    if has_support_ended(known, around.now):
        return f"Your branch {branch} is out of support: do not wait for a fix of its own."
    return f"It is not of your branch {branch}, for which the update server lists no urgent release."


def release_rows(new: Sequence[UpdateNotice], around: Surroundings) -> tuple[Release, ...]:
    """Return the lines of a list of releases."""
    now = versions_to_act_on(around)
    in_order = any(update.version in now for update in new)
    shown = tuple(
        _row(update, ("now" if update.version in now else "later") if in_order else "", around)
        for update in new[:RELEASES_SHOWN]
    )
    left = len(new) - len(shown)
    return (*shown, Release(version=f"and {left} more", label="")) if left else shown


def _row(update: UpdateNotice, when: str, around: Surroundings) -> Release:
    ends_on = update.end_of_support_on
    is_own = update.version.branch == _branch(around)
    stations = _stations_before(update, around)
    notes = (
        f"by way of {enumerate_words(stations)}" if stations else "",
        f"supported until {long_date(ends_on)}" if ends_on and not is_own else "",
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


def _stations_before(update: UpdateNotice, around: Surroundings) -> tuple[str, ...]:
    """Return the releases to deploy between the installed branch and this one's."""
    installed = around.knowledge.installed
    if installed is None:
        return ()
    start, end = installed.branch_key, update.version.branch_key
    between = [other for other in around.knowledge.pending() if start < other.version.branch_key < end]
    return find_route(installed, [*between, update])[:-1]


def other_releases(
    new: Sequence[UpdateNotice], support: SupportNotice | None, around: Surroundings
) -> tuple[Paragraph, ...]:
    """Name what is pending besides, which the recipient knows of or did not ask for, and the support date."""
    said = {update.version for update in new}
    others = [update for update in around.knowledge.unskipped() if update.version not in said]
    sentences = [_list_others(order_updates(others, _branch(around))), _support(support, around)]
    text = " ".join(sentence for sentence in sentences if sentence)
    return (Paragraph(text),) if text else ()


def _list_others(others: Sequence[UpdateNotice]) -> str:
    if not others:
        return ""
    mark = "" if any(one.urgent for one in others) else ", not marked urgent"
    return f"Also out{mark}: {name_updates(others, RELEASES_SHOWN)}."


def _support(told: SupportNotice | None, around: Surroundings) -> str:
    support = told or around.knowledge.support_at(around.now)
    if support is not None and (told is not None or is_urgent(support)):
        return support_sentence(support, around.now)
    ends_on = around.knowledge.support_ends_on
    return f"Branch {_branch(around)} gets fixes until {long_date(ends_on)}." if ends_on else ""
