"""Messages for the operator: failing checks and deliveries, a due restart."""

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
        case MigrationsPendingNotice() | ServicesOutdatedNotice() | UpgradeFinishedNotice():
            return _write_unfinished(notice)
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
                    "While this lasts nobody here hears of new releases, urgent ones included. "
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
            Paragraph(
                translation.say(
                    "Checks go on with the settings from before. After the next restart nothing would be checked any "
                    "more."
                )
            ),
            Paragraph(_sentence(notice.detail)),
            Pointer(
                translation.say("Mend them, then run:"), "sudo systemctl reload mastodon-update-check", is_link=False
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
                    "They had been failing since {start} and have worked again since {end}. "
                    "Whatever came out meanwhile is told in a message of its own.",
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
            Paragraph(translation.say("What it says: {detail}", detail=_sentence(notice.detail))),
            Paragraph(
                translation.say(
                    "The messages are kept and tried again. Once the cause is mended they go out by themselves."
                )
            ),
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


def _write_unfinished(notice: MigrationsPendingNotice | ServicesOutdatedNotice | UpgradeFinishedNotice) -> Content:
    match notice:
        case MigrationsPendingNotice():
            subject = f"Run the migrations of Mastodon {notice.version}: {len(notice.migrations)} are pending"
        case ServicesOutdatedNotice():
            subject = f"Restart {', '.join(notice.services)}: started before Mastodon {notice.version} was installed"
        case UpgradeFinishedNotice():
            subject = f"The upgrade to Mastodon {notice.about.version} is finished"
    return Content(subject=subject, blocks=(), footer="")


def _sentence(detail: str) -> str:
    return f"{clean(detail).rstrip('.')}."
