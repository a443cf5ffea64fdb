"""The letter about the end of a branch's support: when, and which way leads out."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from mastodon_update_check.core.messages.letter import Block, Letter, Paragraph, Pointer, long_date, short_date
from mastodon_update_check.core.messages.surroundings import RELEASES_URL, Surroundings
from mastodon_update_check.core.notices import SupportNotice, SupportStage, UpdateNotice
from mastodon_update_check.core.routes import find_route


def write_support_letter(support: SupportNotice, around: Surroundings, footer: str) -> Letter:
    """Write the letter about one support notice."""
    is_over = _is_over(support, around.now)
    return Letter(
        subject=_subject(support, around),
        blocks=(
            Paragraph(f"{_you_run(support, around)} {support_sentence(support, around.now)}"),
            *_way_out(support, around),
            *([] if is_over else [Paragraph(_next_message(support))]),
            *([Pointer("All pending updates:", around.admin_url)] if around.admin_url else []),
        ),
        footer=footer,
        is_urgent=is_over,
    )


def support_sentence(support: SupportNotice, now: datetime) -> str:
    """Say when support ends or ended, and what that means."""
    if _is_over(support, now):
        return (
            f"Support for {support.branch} ended on {long_date(support.ends_on)}: "
            "do not count on fixes any more, even urgent ones."
        )
    return (
        f"Support for {support.branch} ends on {long_date(support.ends_on)}: "
        "do not count on fixes after that day, even urgent ones."
    )


def _is_over(support: SupportNotice, now: datetime) -> bool:
    """Whether support has ended: by the notice, or by now, if the message has waited since it was planned."""
    return support.stage is SupportStage.ENDED or support.ends_on < now.date()


def _subject(support: SupportNotice, around: Surroundings) -> str:
    if _is_over(support, around.now):
        ended = f"support ended on {long_date(support.ends_on)}"
        return f"URGENT [{around.instance}] upgrade from Mastodon {support.branch}: {ended}"
    days = (support.ends_on - around.now.date()).days
    when = {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
    return f"[{around.instance}] Support for Mastodon {support.branch} ends {when} ({short_date(support.ends_on)})"


def _you_run(support: SupportNotice, around: Surroundings) -> str:
    installed = around.knowledge.installed
    if installed is None:
        return f"You run {support.branch}."
    own = [update for update in around.knowledge.pending() if update.version.branch == support.branch]
    if own:
        return f"You run {installed}; {own[-1].version} is out."
    return f"You run {installed}, the newest release of its branch."


def _way_out(support: SupportNotice, around: Surroundings) -> Sequence[Block]:
    """Name the nearest branch that is supported for longer, and the way to the newest one."""
    installed, pending = around.knowledge.installed, around.knowledge.pending()
    beyond = [update for update in pending if update.version.branch != support.branch]
    lasting = [update for update in beyond if _lasts(update, support, around)]
    if installed is None or not lasting:
        return (Pointer("The update server lists no way out yet; look here:", RELEASES_URL),)
    nearest = max(
        (update for update in lasting if update.version.branch == lasting[0].version.branch),
        key=lambda update: update.version,
    )
    until = f" (supported until {long_date(nearest.end_of_support_on)})" if nearest.end_of_support_on else ""
    short = find_route(installed, [one for one in beyond if one.version <= nearest.version])
    whole = find_route(installed, beyond)
    furthest = f" Furthest: {' > '.join(whole)}." if whole != short else ""
    return (
        Paragraph(f"Shortest way out: {' > '.join(short)}{until}.{furthest}"),
        Paragraph("Minor upgrades migrate the database: make a backup first, and read each release's notes."),
    )


def _lasts(update: UpdateNotice, support: SupportNotice, around: Surroundings) -> bool:
    """Whether the release's branch is supported for longer than the one that is left, so far as is known."""
    ends_on = update.end_of_support_on
    return ends_on is None or ends_on > max(support.ends_on, around.now.date())


def _next_message(support: SupportNotice) -> str:
    early = support.stage is SupportStage.THREE_MONTHS
    next_on = support.ends_on + (timedelta(weeks=-2) if early else timedelta(days=1))
    return f"Next message about this: {short_date(next_on)}."
