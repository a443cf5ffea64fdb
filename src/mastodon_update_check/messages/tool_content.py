"""Messages for the operator: failing checks and deliveries, a due restart."""

import shlex
from collections.abc import Sequence
from typing import assert_never

from mastodon_update_check.domain import notices
from mastodon_update_check.domain.routes import RELEASES_URL
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean, without_links
from mastodon_update_check.domain.upgrades import MIGRATE
from mastodon_update_check.errors import Cause
from mastodon_update_check.messages.content import Content, MessageContext, Paragraph, Pointer
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, name_updates, order_updates
from mastodon_update_check.messages.translation import ENGLISH, Translation

_Parts = tuple[str, Sequence[str | Pointer]]
STATUS = "sudo mastodon-update-check status"


def write_tool_content(notice: notices.ToolNotice, context: MessageContext) -> Content:
    """Write the message for one tool notice."""
    subject, parts = _write(notice, context.knowledge, context.translation)
    return Content(
        subject=f"[{context.instance}] {subject}",
        blocks=tuple(Paragraph(part) if isinstance(part, str) else part for part in parts),
    )


def name_tool_notice(notice: notices.ToolNotice) -> str:
    """Call a tool notice by the subject of its message."""
    return _write(notice, ServerState(), ENGLISH)[0]


def _write(notice: notices.ToolNotice, known: ServerState, translation: Translation) -> _Parts:
    match notice:
        case notices.CheckFailingNotice() | notices.CheckRecoveredNotice() | notices.DeliveryFailingNotice():
            return _write_outage(notice, known, translation)
        case notices.MigrationsPendingNotice():
            return _write_migrations(notice, translation)
        case notices.RestartNotice() | notices.ServicesOutdatedNotice() | notices.UpgradeFinishedNotice():
            return _write_restart(notice, translation)
        case _:
            assert_never(notice)


def _write_outage(
    notice: notices.CheckFailingNotice | notices.CheckRecoveredNotice | notices.DeliveryFailingNotice,
    known: ServerState,
    translation: Translation,
) -> _Parts:
    say, since = translation.say, translation.instant(notice.started_at)
    more = Pointer(say("To see more, run:"), STATUS, is_link=False)
    match notice:
        case notices.CheckRecoveredNotice():
            failed = say(
                "They failed from {start} to {end}. Releases of that time are in a message of their own.",
                start=since,
                end=translation.instant(notice.recovered_at),
            )
            return say("Update checks work again"), [failed]
        case notices.DeliveryFailingNotice():
            return say("Update notices by {sink} have not gone out since {instant}", sink=notice.sink, instant=since), [
                say("Error: {detail}", detail=_sentence(notice.detail)),
                say("The messages are kept and retried. They are sent when the cause is fixed."),
                more,
            ]
        case notices.CheckFailingNotice(cause=Cause.SETTINGS):
            return say("The settings of mastodon-update-check have been wrong since {instant}", instant=since), [
                say("Everything that does not depend on them continues to work."),
                _sentence(notice.detail),
                Pointer(say("Fix them, then run:"), "sudo systemctl reload mastodon-update-check", is_link=False),
                say("Mails about this come after 3 days, then weekly."),
            ]
        case _:
            return say("No update check has worked since {instant}", instant=since), [
                say(
                    "Until this is fixed, no notices of new releases are sent, not even of urgent ones. "
                    "Mastodon itself is not affected."
                ),
                translation.join(
                    say("Cause: {detail}", detail=_sentence(notice.detail)), _last_answer(known, translation)
                ),
                more,
                Pointer(say("Meanwhile look here:"), RELEASES_URL),
                say("Mails about this come after 3 days, then weekly, and one when it works again."),
            ]


def _last_answer(known: ServerState, translation: Translation) -> str:
    installed = known.installed
    if installed is None or known.good_at is None:
        return ""
    updates = order_updates(known.pending(), installed.branch)
    if not updates:
        return translation.say("Last good answer: {installed} is installed, nothing pending.", installed=installed)
    names = name_updates(updates, RELEASES_SHOWN, translation)
    return translation.say(
        "Last good answer: {installed} is installed, {names} pending.", installed=installed, names=names
    )


def _write_migrations(notice: notices.MigrationsPendingNotice, translation: Translation) -> _Parts:
    say, number = translation.say, len(notice.migrations)
    subject = translation.count(
        "Run the migrations of Mastodon {version}: {number} is pending",
        "Run the migrations of Mastodon {version}: {number} are pending",
        number,
        version=notice.version,
    )
    missing = translation.count(
        "The database has not run {number} migration that is in the tree (the newest is {newest}). Seen since "
        "{instant}.",
        "The database has not run {number} migrations that are in the tree (the newest is {newest}). Seen since "
        "{instant}.",
        number,
        newest=notice.migrations[-1],
        instant=translation.instant(notice.started_at),
    )
    command = Pointer(say("As Mastodon's user, in its directory, run:"), MIGRATE, is_link=False)
    return subject, [missing, command, say("The next mail comes when none is pending.")]


def _write_restart(
    notice: notices.RestartNotice | notices.ServicesOutdatedNotice | notices.UpgradeFinishedNotice,
    translation: Translation,
) -> _Parts:
    say = translation.say
    if isinstance(notice, notices.RestartNotice):
        versions = {"tree": notice.tree, "running": notice.running}
        return say("Restart Mastodon: {running} runs, {tree} is installed", **versions), [
            say(
                "The code on disk is {tree}, but the server still answers as {running}. "
                "Restart Sidekiq, reload web, restart streaming.",
                **versions,
            )
        ]
    if isinstance(notice, notices.UpgradeFinishedNotice):
        seen = say("Seen at {instant}. There is nothing left to do.", instant=translation.instant(notice.ended_at))
        if isinstance(notice.about, notices.MigrationsPendingNotice):
            return say("All migrations of Mastodon {version} have run", version=notice.about.version), [seen]
        return say("The services of Mastodon {version} have been restarted", version=notice.about.version), [seen]
    units = [clean(service) for service in notice.services]
    values = {"services": translation.enumerate(units), "version": notice.version}
    return say("Restart {services}: older than Mastodon {version}", **values), [
        say(
            "Mastodon {version} is in the tree, but these services were started before and still run the old "
            "code: {services}.",
            **values,
        ),
        Pointer(say("Run:"), f"sudo systemctl restart {shlex.join(units)}", is_link=False),
        say("The next mail comes when they have been restarted."),
    ]


def _sentence(detail: str) -> str:
    return f"{clean(without_links(detail)).rstrip('.')}."
