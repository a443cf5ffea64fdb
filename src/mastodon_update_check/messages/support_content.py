"""The letter about the end of a branch's support: when, and which way leads out."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from mastodon_update_check.domain.notices import SupportNotice, SupportStage, UpdateNotice
from mastodon_update_check.domain.routes import find_route
from mastodon_update_check.messages.content import Block, Content, Paragraph, Pointer
from mastodon_update_check.messages.context import RELEASES_URL, MessageContext
from mastodon_update_check.messages.directions import draw, point_to_steps


def write_support_letter(support: SupportNotice, around: MessageContext, footer: str) -> Content:
    """Write the letter about one support notice."""
    is_over, words = _is_over(support, around.now), around.words
    next_on = words.short_date(_next_on(support))
    return Content(
        subject=_subject(support, around),
        blocks=(
            Paragraph(words.join(_you_run(support, around), support_sentence(support, around))),
            *_way_out(support, around),
            *([] if is_over else [Paragraph(words.say("Next message about this: {date}.", date=next_on))]),
            *([Pointer(words.say("All pending updates:"), around.admin_url)] if around.admin_url else []),
        ),
        footer=footer,
        is_urgent=is_over,
        language=words.language,
    )


def support_sentence(support: SupportNotice, around: MessageContext) -> str:
    """Say when support ends or ended, and what that means."""
    words, ends_on = around.words, around.words.long_date(support.ends_on)
    if _is_over(support, around.now):
        return words.say(
            "Support for {branch} ended on {date}: do not count on fixes any more, even urgent ones.",
            branch=support.branch,
            date=ends_on,
        )
    return words.say(
        "Support for {branch} ends on {date}: do not count on fixes after that day, even urgent ones.",
        branch=support.branch,
        date=ends_on,
    )


def _is_over(support: SupportNotice, now: datetime) -> bool:
    """Whether support has ended: by the notice, or by now, if the message has waited since it was planned."""
    return support.stage is SupportStage.ENDED or support.ends_on < now.date()


def _subject(support: SupportNotice, around: MessageContext) -> str:
    words, branch = around.words, support.branch
    if _is_over(support, around.now):
        said = words.say(
            "upgrade from Mastodon {branch}: support ended on {date}",
            branch=branch,
            date=words.long_date(support.ends_on),
        )
        mark = words.label("subject", "URGENT")
        return f"{mark} [{around.instance}] {said}"
    days, ends_on = (support.ends_on - around.now.date()).days, words.short_date(support.ends_on)
    if days == 0:
        said = words.say("Support for Mastodon {branch} ends today ({date})", branch=branch, date=ends_on)
    elif days == 1:
        said = words.say("Support for Mastodon {branch} ends tomorrow ({date})", branch=branch, date=ends_on)
    else:
        said = words.count(
            "Support for Mastodon {branch} ends in {number} day ({date})",
            "Support for Mastodon {branch} ends in {number} days ({date})",
            days,
            branch=branch,
            date=ends_on,
        )
    return f"[{around.instance}] {said}"


def _you_run(support: SupportNotice, around: MessageContext) -> str:
    installed, words = around.knowledge.installed, around.words
    if installed is None:
        return words.say("You run {version}.", version=support.branch)
    own = [update for update in around.knowledge.pending() if update.version.branch == support.branch]
    if own:
        return words.say("You run {version}; {newest} is out.", version=installed, newest=own[-1].version)
    return words.say("You run {version}, the newest release of its branch.", version=installed)


def _way_out(support: SupportNotice, around: MessageContext) -> Sequence[Block]:
    """Name the nearest branch that is supported for longer, and the way to the newest one."""
    installed, pending, words = around.knowledge.installed, around.knowledge.pending(), around.words
    beyond = [update for update in pending if update.version.branch != support.branch]
    lasting = [update for update in beyond if _lasts(update, support, around)]
    if installed is None or not lasting:
        return (Pointer(words.say("The update server lists no way out yet; look here:"), RELEASES_URL),)
    nearest = max(
        (update for update in lasting if update.version.branch == lasting[0].version.branch),
        key=lambda update: update.version,
    )
    short = find_route(installed, [one for one in pending if one.version <= nearest.version])
    whole = find_route(installed, pending)
    further = words.say("Furthest: {route}.", route=draw(whole)) if whole != short else ""
    return (
        point_to_steps(words.join(_shortest(short, nearest, around), further), whole, words),
        Paragraph(
            words.say("Minor upgrades migrate the database: make a backup first, and read each release's notes.")
        ),
    )


def _shortest(route: Sequence[str], nearest: UpdateNotice, around: MessageContext) -> str:
    words, text = around.words, draw(route)
    if nearest.end_of_support_on is None:
        return words.say("Shortest way out: {route}.", route=text)
    until = words.long_date(nearest.end_of_support_on)
    return words.say("Shortest way out: {route} (supported until {date}).", route=text, date=until)


def _lasts(update: UpdateNotice, support: SupportNotice, around: MessageContext) -> bool:
    """Whether the release's branch is supported for longer than the one that is left, so far as is known."""
    ends_on = update.end_of_support_on
    return ends_on is None or ends_on > max(support.ends_on, around.now.date())


def _next_on(support: SupportNotice) -> date:
    early = support.stage is SupportStage.THREE_MONTHS
    return support.ends_on + (timedelta(weeks=-2) if early else timedelta(days=1))
