"""Letters about this tool and its surroundings, for the operator: failing checks and deliveries, a due restart."""

from dataclasses import replace
from typing import assert_never

from mastodon_update_check.domain.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    RestartNotice,
    ToolNotice,
)
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause
from mastodon_update_check.messages.content import Content, Paragraph, Pointer
from mastodon_update_check.messages.context import RELEASES_URL, MessageContext
from mastodon_update_check.messages.release_parts import RELEASES_SHOWN, name_updates, order_updates

STATUS = "sudo mastodon-update-check status"


def write_tool_letter(notice: ToolNotice, around: MessageContext, footer: str) -> Content:
    """Write the letter for one tool notice."""
    letter = _write(notice, around)
    return replace(
        letter,
        subject=f"[{around.instance}] {letter.subject}",
        footer=footer,
        language=around.words.language,
    )


def _write(notice: ToolNotice, around: MessageContext) -> Content:
    match notice:
        case CheckFailingNotice(cause=Cause.SETTINGS):
            return _write_settings_wrong(notice, around)
        case CheckFailingNotice():
            return _write_check_failing(notice, around)
        case CheckRecoveredNotice():
            return _write_check_recovered(notice, around)
        case DeliveryFailingNotice():
            return _write_delivery_failing(notice, around)
        case RestartNotice():
            return _write_restart(notice, around)
        case _:
            assert_never(notice)


def _write_check_failing(notice: CheckFailingNotice, around: MessageContext) -> Content:
    words = around.words
    cause = words.say("Cause: {detail}", detail=_sentence(notice.detail))
    return Content(
        subject=words.say("No update check has worked since {instant}", instant=words.instant(notice.started_at)),
        blocks=(
            Paragraph(
                words.say(
                    "While this lasts nobody here hears of new releases, urgent ones included. "
                    "Mastodon itself is not affected."
                )
            ),
            Paragraph(words.join(cause, _last_answer(around))),
            Pointer(words.say("To see more, run:"), STATUS, is_link=False),
            Pointer(words.say("Meanwhile look here:"), RELEASES_URL),
            Paragraph(
                words.say("The next mail comes in a week, and one when it works again.")
                if notice.stage
                else words.say("The next mail comes after 3 days, then weekly, and one when it works again.")
            ),
        ),
        footer="",
    )


def _last_answer(around: MessageContext) -> str:
    installed, words = around.knowledge.installed, around.words
    if installed is None or around.knowledge.good_at is None:
        return ""
    updates = order_updates(around.knowledge.pending(), installed.branch)
    if not updates:
        return words.say("Last good answer: {installed} is installed, nothing pending.", installed=installed)
    return words.say(
        "Last good answer: {installed} is installed, {names} pending.",
        installed=installed,
        names=name_updates(updates, RELEASES_SHOWN, words),
    )


def _write_settings_wrong(notice: CheckFailingNotice, around: MessageContext) -> Content:
    words = around.words
    return Content(
        subject=words.say(
            "The settings of mastodon-update-check have been wrong since {instant}",
            instant=words.instant(notice.started_at),
        ),
        blocks=(
            Paragraph(
                words.say(
                    "Checks go on with the settings from before. After the next restart nothing would be checked any "
                    "more."
                )
            ),
            Paragraph(_sentence(notice.detail)),
            Pointer(words.say("Mend them, then run:"), "sudo systemctl reload mastodon-update-check", is_link=False),
            Paragraph(
                words.say("The next mail comes in a week.")
                if notice.stage
                else words.say("The next mail comes after 3 days, then weekly.")
            ),
        ),
        footer="",
    )


def _write_check_recovered(notice: CheckRecoveredNotice, around: MessageContext) -> Content:
    words = around.words
    return Content(
        subject=words.say("Update checks work again"),
        blocks=(
            Paragraph(
                words.say(
                    "They had been failing since {start} and have worked again since {end}. "
                    "Whatever came out meanwhile is told in a message of its own.",
                    start=words.instant(notice.started_at),
                    end=words.instant(notice.recovered_at),
                )
            ),
        ),
        footer="",
    )


def _write_delivery_failing(notice: DeliveryFailingNotice, around: MessageContext) -> Content:
    words = around.words
    return Content(
        subject=words.say(
            "Update notices by {sink} have not gone out since {instant}",
            sink=notice.sink,
            instant=words.instant(notice.started_at),
        ),
        blocks=(
            Paragraph(words.say("What it says: {detail}", detail=_sentence(notice.detail))),
            Paragraph(
                words.say("The messages are kept and tried again. Once the cause is mended they go out by themselves.")
            ),
            Pointer(words.say("To see more, run:"), STATUS, is_link=False),
        ),
        footer="",
    )


def _write_restart(notice: RestartNotice, around: MessageContext) -> Content:
    words = around.words
    return Content(
        subject=words.say(
            "Restart Mastodon: {running} runs, {tree} is installed", running=notice.running, tree=notice.tree
        ),
        blocks=(
            Paragraph(
                words.say(
                    "The code on disk is {tree}, but the server still answers as {running}. "
                    "Restart Sidekiq, reload web, restart streaming.",
                    running=notice.running,
                    tree=notice.tree,
                )
            ),
        ),
        footer="",
    )


def _sentence(detail: str) -> str:
    return f"{clean(detail).rstrip('.')}."
