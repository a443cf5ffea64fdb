"""The log sink: one line, its level, its fields."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from captured_logs import capture_logs
from domain.examples import cases
from mastodon_update_check import logs
from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.sinks.log import create
from sinks.examples import ADDRESS, ID, MESSAGE


def logged(message: Message) -> Mapping[str, Any]:
    """Return the one line that a message makes."""
    with capture_logs() as lines:
        create({}).send(message)
    [line] = lines
    return line


def offering(*updates: object) -> Mapping[str, object]:
    """Return a payload with these updates."""
    return {"data": {"updates": list(updates)}}


def test_fields() -> None:
    """Everything that a reader of the log needs, and no address."""
    line = logged(MESSAGE)

    assert line == {
        "event": "notice.update.available",
        "log_level": "warning",
        "instance": "social.example",
        "urgent": False,
        "versions": ["4.5.20", "4.6.9"],
        "release_notes": ["https://example/4.5.20", "https://example/4.6.9"],
        "message_id": ID,
        "summary": "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
        "devops_users": ["alice", "bob"],
    }
    assert ADDRESS not in str(line)


PATCH = {"version": "4.5.20", "type": "patch"}
MINOR = {"version": "4.6.9", "type": "minor"}


@pytest.mark.parametrize(
    ("kind", "urgent", "update", "level"),
    [
        (MessageType.UPDATE_AVAILABLE, True, MINOR, "critical"),
        (MessageType.UPDATE_REMINDER, True, PATCH, "critical"),
        (MessageType.SUPPORT_ENDING, True, MINOR, "critical"),
        (MessageType.UPDATE_AVAILABLE, False, PATCH, "warning"),
        (MessageType.UPDATE_REMINDER, False, PATCH, "warning"),
        (MessageType.SUPPORT_ENDING, False, MINOR, "warning"),
        (MessageType.CHECK_FAILING, False, MINOR, "warning"),
        (MessageType.DELIVERY_FAILING, False, MINOR, "warning"),
        (MessageType.UPDATE_AVAILABLE, False, MINOR, "info"),
        (MessageType.UPDATE_INSTALLED, False, PATCH, "info"),
        (MessageType.TEST, False, PATCH, "info"),
    ],
)
def test_level(kind: MessageType, update: object, level: str, *, urgent: bool) -> None:
    """The level fits what the message is about."""
    line = logged(replace(MESSAGE, type=kind, urgent=urgent, payload=offering(update)))

    assert (line["event"], line["log_level"]) == (f"notice.{kind.value}", level)


@cases(
    "updates expected level",
    ("only what is new", [PATCH | {"new": False}, MINOR | {"new": True}], ["4.6.9"], "info"),
    ("all, when nothing is", [PATCH | {"new": False}], ["4.5.20"], "warning"),
    ("none", [], [], "info"),
)
def test_versions(updates: list[object], expected: list[str], level: str) -> None:
    """A line names what is new."""
    line = logged(replace(MESSAGE, payload=offering(*updates)))

    assert (line["versions"], line["log_level"]) == (expected, level)


def test_values_are_clean() -> None:
    """No value can break a line or reach a terminal."""
    line = logged(
        replace(
            MESSAGE,
            subject="one\ntwo\x1b[31m",
            devops_users=("eve\r\nroot",),
            payload=offering({"version": "4\n5", "release_notes": None}),
        )
    )

    assert (line["summary"], line["devops_users"], line["versions"], line["release_notes"]) == (
        "one two [31m",
        ["eve root"],
        ["4 5"],
        [""],
    )


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Set the logs up at their highest level, with this stream."""
    output, stream = logs._outputs[0], io.StringIO()
    logs.configure(logs.SILENT, "json", stream)
    yield stream
    logs._outputs[0] = output


def test_log_that_cannot_be_written(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is closed or full is a transient failure of the sink."""

    def fail(_text: str) -> NoReturn:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(stream, "write", fail)
    with pytest.raises(TransientDeliveryError) as caught:
        create({}).send(MESSAGE)

    assert str(caught.value) == "the log cannot be written: Broken pipe"
    assert caught.value.sink_wide


def test_no_level_hides_a_message(stream: io.StringIO) -> None:
    """A message that counts as sent has been written, at any log level."""
    create({}).send(MESSAGE)

    assert json.loads(stream.getvalue())["event"] == "notice.update.available"
