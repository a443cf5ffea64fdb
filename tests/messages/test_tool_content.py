"""Letters about this tool, for its operator."""

from dataclasses import replace
from typing import Any

import pytest

from domain.examples import cases
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.notices import CheckFailingNotice, DeliveryFailingNotice
from messages.writing import body, make_context, minor, patch, write

SILENT = "Until this is fixed, no notices of new releases are sent, not even of urgent ones."
STATUS = "To see more, run: sudo mastodon-update-check status"


def test_check_failing() -> None:
    """Since when, what that means, why, and where to look meanwhile."""
    message = write([CHECK], make_context([patch("4.5.20", urgent=True), minor("4.6.9")]))
    assert message.subject == "[social.example] No update check has worked since Sun 22 Nov 13:05 UTC"
    assert body(message) == [
        f"{SILENT} Mastodon itself is not affected.",
        "Cause: certificate verify failed. Last good answer: 4.5.19 is installed, 4.5.20 (urgent) and 4.6.9 pending.",
        STATUS,
        "Meanwhile look here: https://github.com/mastodon/mastodon/releases",
        "Mails about this come after 3 days, then weekly, and one when it works again.",
    ]
    assert (message.type, message.urgent) == ("check.failing", False)


@cases(
    "fields last",
    ("nothing was pending", {}, " Last good answer: 4.5.19 is installed, nothing pending."),
    ("there never was a good answer", {"good_at": None}, ""),
    ("the installed version is not known", {"installed": None}, ""),
)
def test_last_good_answer(fields: dict[str, Any], last: str) -> None:
    """The last good answer, if there was one."""
    context = make_context()
    message = write([CHECK], replace(context, knowledge=replace(context.knowledge, **fields)))
    assert body(message)[1] == f"Cause: certificate verify failed.{last}"


def test_long_lists_are_cut() -> None:
    """Of many pending releases twenty are named."""
    message = write([CHECK], make_context([patch(f"4.5.{number}") for number in range(20, 60)]))
    assert body(message)[1].endswith(", 4.5.40 and 20 more pending.")


def test_wrong_settings() -> None:
    """Checks go on with the old settings: that is another thing than checks that fail, and says so."""
    message = write([replace(CHECK, stage=0, cause="settings", detail="UPDATE_CHECK_INTERVAL is not a duration")])
    wrong = "[social.example] The settings of mastodon-update-check have been wrong since Sun 22 Nov 13:05 UTC"
    assert (message.subject, message.type) == (wrong, "check.failing")
    assert body(message) == [
        "Everything that does not depend on them continues to work.",
        "UPDATE_CHECK_INTERVAL is not a duration.",
        "Fix them, then run: sudo systemctl reload mastodon-update-check",
        "Mails about this come after 3 days, then weekly.",
    ]


def test_recovered() -> None:
    """When it works again: from when to when, and that nothing is lost."""
    message = write([RECOVERED])
    assert (message.subject, message.type) == ("[social.example] Update checks work again", "check.recovered")
    assert body(message) == [
        (
            "They failed from Sun 22 Nov 13:05 UTC to Tue 24 Nov 13:05 UTC. Releases of that time are in a message of "
            "their own."
        )
    ]


@pytest.mark.parametrize("detail", ["HTTP 503", "HTTP 503.", "HTTP\r\n503"])
def test_delivery_failing(detail: str) -> None:
    """Which sink, since when, what it says; that nothing is lost."""
    message = write([replace(DELIVERY, detail=detail)])
    assert message.subject == (
        "[social.example] Update notices by webhook.ops have not gone out since Sun 22 Nov 13:05 UTC"
    )
    assert body(message) == [
        "Error: HTTP 503.",
        "The messages are kept and retried. They are sent when the cause is fixed.",
        STATUS,
    ]
    assert message.type == "delivery.failing"


def test_restart_due() -> None:
    """Which version runs, which is on disk, and what to do."""
    message = write([RESTART])
    assert message.subject == "[social.example] Restart Mastodon: 4.5.19 runs, 4.5.20 is installed"
    assert body(message) == [
        (
            "The code on disk is 4.5.20, but the server still answers as 4.5.19. "
            "Restart Sidekiq, reload web, restart streaming."
        )
    ]
    assert message.type == "restart.due"


@pytest.mark.parametrize(
    "notice", [CHECK, replace(CHECK, cause="settings"), DELIVERY], ids=["check", "settings", "delivery"]
)
def test_words_of_others_hold_no_links(notice: CheckFailingNotice | DeliveryFailingNotice) -> None:
    """A reply of a server, or a value of Mastodon's file, is shown without a link or a mention for chat services."""
    said = "go to https://evil.example/x, <http://evil.example|click> [here](//evil.example) <!channel> @everyone"
    message = write([replace(notice, detail=said)])
    shown = "go to … … [here] (… !channel everyone."
    assert sum(shown in paragraph for paragraph in body(message)) == 1
    assert 'href="https://evil' not in message.html
    assert "evil.example|" not in message.html + message.text
