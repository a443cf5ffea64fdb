"""Letters about this tool and its surroundings, for the operator: failing checks and deliveries, a due restart."""

from typing import assert_never

from mastodon_update_check.core.messages.letter import Letter, Paragraph, Pointer, instant
from mastodon_update_check.core.messages.release_letter import RELEASES_SHOWN, name_updates, order_updates
from mastodon_update_check.core.messages.surroundings import RELEASES_URL, Surroundings
from mastodon_update_check.core.notices import (
    CheckFailingNotice,
    CheckRecoveredNotice,
    DeliveryFailingNotice,
    RestartNotice,
    ToolNotice,
)
from mastodon_update_check.core.text import clean
from mastodon_update_check.errors import Cause

_NEXT = ("The next mail comes after 3 days, then weekly", "The next mail comes in a week")


def write_tool_letter(notice: ToolNotice, around: Surroundings, footer: str) -> Letter:
    """Write the letter for one tool notice."""
    match notice:
        case CheckFailingNotice(cause=Cause.SETTINGS):
            return _write_settings_wrong(notice, around, footer)
        case CheckFailingNotice():
            return _write_check_failing(notice, around, footer)
        case CheckRecoveredNotice():
            return Letter(
                subject=f"[{around.instance}] Update checks work again",
                blocks=(
                    Paragraph(
                        f"They had been failing since {instant(notice.started_at)} and have worked again since "
                        f"{instant(notice.recovered_at)}. Whatever came out meanwhile is told in a message of its own."
                    ),
                ),
                footer=footer,
            )
        case DeliveryFailingNotice():
            return Letter(
                subject=f"[{around.instance}] Update notices by {notice.sink} have not gone out since "
                f"{instant(notice.started_at)}",
                blocks=(
                    Paragraph(f"What it says: {_sentence(notice.detail)}"),
                    Paragraph(
                        "The messages are kept and tried again. Once the cause is mended they go out by themselves."
                    ),
                    Pointer("To see more, run:", "sudo mastodon-update-check status", is_link=False),
                ),
                footer=footer,
            )
        case RestartNotice():
            return Letter(
                subject=f"[{around.instance}] Restart Mastodon: {notice.running} runs, {notice.tree} is installed",
                blocks=(
                    Paragraph(
                        f"The code on disk is {notice.tree}, but the server still answers as {notice.running}. "
                        "Restart Sidekiq, reload web, restart streaming."
                    ),
                ),
                footer=footer,
            )
        case _:
            assert_never(notice)


def _write_check_failing(notice: CheckFailingNotice, around: Surroundings, footer: str) -> Letter:
    installed = around.knowledge.installed
    updates = order_updates(around.knowledge.pending(), installed.branch if installed else "")
    pending = name_updates(updates, RELEASES_SHOWN) if updates else "nothing"
    has_answer = installed is not None and around.knowledge.good_at is not None
    last = f" Last good answer: {installed} is installed, {pending} pending." if has_answer else ""
    return Letter(
        subject=f"[{around.instance}] No update check has worked since {instant(notice.started_at)}",
        blocks=(
            Paragraph(
                "While this lasts nobody here hears of new releases, urgent ones included. "
                "Mastodon itself is not affected."
            ),
            Paragraph(f"Cause: {_sentence(notice.detail)}{last}"),
            Pointer("To see more, run:", "sudo mastodon-update-check status", is_link=False),
            Pointer("Meanwhile look here:", RELEASES_URL),
            Paragraph(f"{_NEXT[min(notice.stage, 1)]}, and one when it works again."),
        ),
        footer=footer,
    )


def _write_settings_wrong(notice: CheckFailingNotice, around: Surroundings, footer: str) -> Letter:
    return Letter(
        subject=f"[{around.instance}] The settings of mastodon-update-check have been wrong since "
        f"{instant(notice.started_at)}",
        blocks=(
            Paragraph(
                "Checks go on with the settings from before. After the next restart nothing would be checked any more."
            ),
            Paragraph(_sentence(notice.detail)),
            Pointer("Mend them, then run:", "sudo systemctl reload mastodon-update-check", is_link=False),
            Paragraph(f"{_NEXT[min(notice.stage, 1)]}."),
        ),
        footer=footer,
    )


def _sentence(detail: str) -> str:
    return f"{clean(detail).rstrip('.')}."
