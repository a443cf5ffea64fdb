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
from mastodon_update_check.messages.content import Content, Paragraph, Pointer
from mastodon_update_check.messages.context import MessageContext
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
        case notices.CheckFailingNotice(cause=Cause.SETTINGS):
            return _write_settings_wrong(notice, translation)
        case notices.CheckFailingNotice():
            return _write_check_failing(notice, known, translation)
        case notices.CheckRecoveredNotice():
            return _write_check_recovered(notice, translation)
        case notices.DeliveryFailingNotice():
            return _write_delivery_failing(notice, translation)
        case notices.RestartNotice():
            return _write_restart(notice, translation)
        case notices.MigrationsPendingNotice():
            return _write_migrations(notice, translation)
        case notices.ServicesOutdatedNotice():
            return _write_services(notice, translation)
        case notices.UpgradeFinishedNotice():
            return _write_finished(notice, translation)
        case _:
            assert_never(notice)


def _write_check_failing(notice: notices.CheckFailingNotice, known: ServerState, translation: Translation) -> _Parts:
    say = translation.say
    return say("No update check has worked since {instant}", instant=translation.instant(notice.started_at)), [
        say(
            "Until this is fixed, no notices of new releases are sent, not even of urgent ones. "
            "Mastodon itself is not affected."
        ),
        translation.join(say("Cause: {detail}", detail=_sentence(notice.detail)), _last_answer(known, translation)),
        Pointer(say("To see more, run:"), STATUS, is_link=False),
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


def _write_settings_wrong(notice: notices.CheckFailingNotice, translation: Translation) -> _Parts:
    say, since = translation.say, translation.instant(notice.started_at)
    return say("The settings of mastodon-update-check have been wrong since {instant}", instant=since), [
        say("Everything that does not depend on them continues to work."),
        _sentence(notice.detail),
        Pointer(say("Fix them, then run:"), "sudo systemctl reload mastodon-update-check", is_link=False),
        say("Mails about this come after 3 days, then weekly."),
    ]


def _write_check_recovered(notice: notices.CheckRecoveredNotice, translation: Translation) -> _Parts:
    start, end = translation.instant(notice.started_at), translation.instant(notice.recovered_at)
    return translation.say("Update checks work again"), [
        translation.say(
            "They failed from {start} to {end}. Releases of that time are in a message of their own.",
            start=start,
            end=end,
        )
    ]


def _write_delivery_failing(notice: notices.DeliveryFailingNotice, translation: Translation) -> _Parts:
    say, since = translation.say, translation.instant(notice.started_at)
    return say("Update notices by {sink} have not gone out since {instant}", sink=notice.sink, instant=since), [
        say("Error: {detail}", detail=_sentence(notice.detail)),
        say("The messages are kept and retried. They are sent when the cause is fixed."),
        Pointer(say("To see more, run:"), STATUS, is_link=False),
    ]


def _write_restart(notice: notices.RestartNotice, translation: Translation) -> _Parts:
    say, tree, running = translation.say, notice.tree, notice.running
    return say("Restart Mastodon: {running} runs, {tree} is installed", running=running, tree=tree), [
        say(
            "The code on disk is {tree}, but the server still answers as {running}. "
            "Restart Sidekiq, reload web, restart streaming.",
            running=running,
            tree=tree,
        )
    ]


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


def _write_services(notice: notices.ServicesOutdatedNotice, translation: Translation) -> _Parts:
    say, version = translation.say, notice.version
    units = [clean(service) for service in notice.services]
    names = translation.enumerate(units)
    return say("Restart {services}: older than Mastodon {version}", services=names, version=version), [
        say(
            "Mastodon {version} is in the tree, but these services were started before and still run the old "
            "code: {services}.",
            services=names,
            version=version,
        ),
        Pointer(say("Run:"), f"sudo systemctl restart {shlex.join(units)}", is_link=False),
        say("The next mail comes when they have been restarted."),
    ]


def _write_finished(notice: notices.UpgradeFinishedNotice, translation: Translation) -> _Parts:
    say, version = translation.say, notice.about.version
    seen = say("Seen at {instant}. There is nothing left to do.", instant=translation.instant(notice.ended_at))
    if isinstance(notice.about, notices.MigrationsPendingNotice):
        return say("All migrations of Mastodon {version} have run", version=version), [seen]
    return say("The services of Mastodon {version} have been restarted", version=version), [seen]


def _sentence(detail: str) -> str:
    return f"{clean(without_links(detail)).rstrip('.')}."
