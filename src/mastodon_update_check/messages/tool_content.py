"""Messages for the operator: failing checks and deliveries, a due restart."""

import shlex
from dataclasses import replace
from typing import assert_never

from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    MigrationsPendingNotice,
    RestartNotice,
    ServicesOutdatedNotice,
    ToolNotice,
    UpgradeFinishedNotice,
)
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause
from mastodon_update_check.messages.content import Content, Paragraph, Pointer
from mastodon_update_check.messages.context import RELEASES_URL, MessageContext
from mastodon_update_check.messages.explanations import MIGRATE
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, name_updates, order_updates

STATUS = "sudo mastodon-update-check status"


def write_tool_content(notice: ToolNotice, context: MessageContext, footer: str) -> Content:
    """Write the message for one tool notice."""
    content = _write(notice, context)
    return replace(
        content,
        subject=f"[{context.instance}] {content.subject}",
        footer=footer,
        language=context.translation.language,
    )


def _write(notice: ToolNotice, context: MessageContext) -> Content:
    match notice:
        case CheckFailingNotice(cause=Cause.SETTINGS):
            return _write_settings_wrong(notice, context)
        case CheckFailingNotice():
            return _write_check_failing(notice, context)
        case CheckRecoveredNotice():
            return _write_check_recovered(notice, context)
        case DeliveryFailingNotice():
            return _write_delivery_failing(notice, context)
        case RestartNotice():
            return _write_restart(notice, context)
        case MigrationsPendingNotice():
            return _write_migrations(notice, context)
        case ServicesOutdatedNotice():
            return _write_services(notice, context)
        case UpgradeFinishedNotice():
            return _write_finished(notice, context)
        case _:
            assert_never(notice)


def _write_check_failing(notice: CheckFailingNotice, context: MessageContext) -> Content:
    translation = context.translation
    cause = translation.say("Cause: {detail}", detail=_sentence(notice.detail))
    return Content(
        subject=translation.say(
            "No update check has worked since {instant}", instant=translation.instant(notice.started_at)
        ),
        blocks=(
            Paragraph(
                translation.say(
                    "Until this is fixed, no notices of new releases are sent, not even of urgent ones. "
                    "Mastodon itself is not affected."
                )
            ),
            Paragraph(translation.join(cause, _last_answer(context))),
            Pointer(translation.say("To see more, run:"), STATUS, is_link=False),
            Pointer(translation.say("Meanwhile look here:"), RELEASES_URL),
            Paragraph(
                translation.say("The next mail comes in a week, and one when it works again.")
                if notice.stage
                else translation.say("The next mail comes after 3 days, then weekly, and one when it works again.")
            ),
        ),
        footer="",
    )


def _last_answer(context: MessageContext) -> str:
    installed, translation = context.knowledge.installed, context.translation
    if installed is None or context.knowledge.good_at is None:
        return ""
    updates = order_updates(context.knowledge.pending(), installed.branch)
    if not updates:
        return translation.say("Last good answer: {installed} is installed, nothing pending.", installed=installed)
    return translation.say(
        "Last good answer: {installed} is installed, {names} pending.",
        installed=installed,
        names=name_updates(updates, RELEASES_SHOWN, translation),
    )


def _write_settings_wrong(notice: CheckFailingNotice, context: MessageContext) -> Content:
    translation = context.translation
    return Content(
        subject=translation.say(
            "The settings of mastodon-update-check have been wrong since {instant}",
            instant=translation.instant(notice.started_at),
        ),
        blocks=(
            Paragraph(translation.say("Everything that does not depend on them continues to work.")),
            Paragraph(_sentence(notice.detail)),
            Pointer(
                translation.say("Fix them, then run:"), "sudo systemctl reload mastodon-update-check", is_link=False
            ),
            Paragraph(
                translation.say("The next mail comes in a week.")
                if notice.stage
                else translation.say("The next mail comes after 3 days, then weekly.")
            ),
        ),
        footer="",
    )


def _write_check_recovered(notice: CheckRecoveredNotice, context: MessageContext) -> Content:
    translation = context.translation
    return Content(
        subject=translation.say("Update checks work again"),
        blocks=(
            Paragraph(
                translation.say(
                    "They failed from {start} to {end}. Releases of that time are in a message of their own.",
                    start=translation.instant(notice.started_at),
                    end=translation.instant(notice.recovered_at),
                )
            ),
        ),
        footer="",
    )


def _write_delivery_failing(notice: DeliveryFailingNotice, context: MessageContext) -> Content:
    translation = context.translation
    return Content(
        subject=translation.say(
            "Update notices by {sink} have not gone out since {instant}",
            sink=notice.sink,
            instant=translation.instant(notice.started_at),
        ),
        blocks=(
            Paragraph(translation.say("Error: {detail}", detail=_sentence(notice.detail))),
            Paragraph(translation.say("The messages are kept and retried. They are sent when the cause is fixed.")),
            Pointer(translation.say("To see more, run:"), STATUS, is_link=False),
        ),
        footer="",
    )


def _write_restart(notice: RestartNotice, context: MessageContext) -> Content:
    translation = context.translation
    return Content(
        subject=translation.say(
            "Restart Mastodon: {running} runs, {tree} is installed", running=notice.running, tree=notice.tree
        ),
        blocks=(
            Paragraph(
                translation.say(
                    "The code on disk is {tree}, but the server still answers as {running}. "
                    "Restart Sidekiq, reload web, restart streaming.",
                    running=notice.running,
                    tree=notice.tree,
                )
            ),
        ),
        footer="",
    )


def _write_migrations(notice: MigrationsPendingNotice, context: MessageContext) -> Content:
    translation, number = context.translation, len(notice.migrations)
    return Content(
        subject=translation.count(
            "Run the migrations of Mastodon {version}: {number} is pending",
            "Run the migrations of Mastodon {version}: {number} are pending",
            number,
            version=notice.version,
        ),
        blocks=(
            Paragraph(
                translation.count(
                    "The database has not run {number} migration that is in the tree (the newest is {newest}). Seen "
                    "since {instant}.",
                    "The database has not run {number} migrations that are in the tree (the newest is {newest}). Seen "
                    "since {instant}.",
                    number,
                    newest=notice.migrations[-1],
                    instant=translation.instant(notice.started_at),
                )
            ),
            Pointer(translation.say("As Mastodon's user, in its directory, run:"), MIGRATE, is_link=False),
            Paragraph(translation.say("The next mail comes when none is pending.")),
        ),
        footer="",
    )


def _write_services(notice: ServicesOutdatedNotice, context: MessageContext) -> Content:
    translation = context.translation
    services = [clean(service) for service in notice.services]
    return Content(
        subject=translation.say(
            "Restart {services}: older than Mastodon {version}",
            services=translation.enumerate(services),
            version=notice.version,
        ),
        blocks=(
            Paragraph(
                translation.say(
                    "Mastodon {version} is in the tree, but these services were started before and still run the old "
                    "code: {services}.",
                    services=translation.enumerate(services),
                    version=notice.version,
                )
            ),
            Pointer(translation.say("Run:"), f"sudo systemctl restart {shlex.join(services)}", is_link=False),
            Paragraph(translation.say("The next mail comes when they have been restarted.")),
        ),
        footer="",
    )


def _write_finished(notice: UpgradeFinishedNotice, context: MessageContext) -> Content:
    translation, version = context.translation, notice.about.version
    if isinstance(notice.about, MigrationsPendingNotice):
        done = translation.say("All migrations of Mastodon {version} have run", version=version)
    else:
        done = translation.say("The services of Mastodon {version} have been restarted", version=version)
    seen = translation.say(
        "Seen at {instant}. There is nothing left to do.", instant=translation.instant(notice.ended_at)
    )
    return Content(subject=done, blocks=(Paragraph(seen),), footer="")


def _sentence(detail: str) -> str:
    return f"{clean(detail).rstrip('.')}."
