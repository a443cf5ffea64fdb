"""A trial of the sinks: one test message to each recipient, each sink in its own thread; nothing is remembered."""

import queue
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Thread

from mastodon_update_check.domain.text import words_of
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.base import Sink

PATIENCE = timedelta(seconds=60)
"""How long a sink may take for one message before it counts as hanging; a person is waiting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One sink on trial, and the messages that it is to deliver."""

    sink: str
    load: Callable[[], Sink]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """What came of one message."""

    sink: str
    address: str
    """Whom it was for; empty for sinks without addresses."""
    is_accepted: bool
    reply: str
    """What the other side said, or what was in the way; not yet fit to be shown."""
    took: timedelta


def try_sinks(entries: Sequence[Entry], patience: timedelta = PATIENCE) -> Iterator[SendResult]:
    """Deliver every message once, all sinks at the same time; yield each verdict as it comes.

    A sink that takes longer than `patience` for one message is left behind: that message, and those after it, failed.
    """
    verdicts: queue.SimpleQueue[tuple[int, SendResult]] = queue.SimpleQueue()
    waiting = {number: _Wait(entry) for number, entry in enumerate(entries) if entry.messages}
    for number, wait in waiting.items():
        # A daemon thread: one that hangs must not keep the process from ending.
        Thread(target=_try_one, args=(number, wait.entry, verdicts), daemon=True).start()
    while waiting:
        end = min(wait.since for wait in waiting.values()) + patience.total_seconds()
        try:
            number, verdict = verdicts.get(timeout=max(end - time.monotonic(), 0))
        except queue.Empty:
            for number in [each for each, wait in waiting.items() if wait.is_over(patience)]:
                yield from waiting.pop(number).give_up(patience)
            continue
        if number in waiting:  # one that was left behind may still say something
            yield verdict
            waiting[number].advance()
            if waiting[number].is_done:
                del waiting[number]


class _Wait:
    """How far a sink has come."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.since = time.monotonic()
        self._done = 0

    def advance(self) -> None:
        self._done += 1
        self.since = time.monotonic()

    @property
    def is_done(self) -> bool:
        return self._done == len(self.entry.messages)

    def is_over(self, patience: timedelta) -> bool:
        return time.monotonic() - self.since >= patience.total_seconds()

    def give_up(self, patience: timedelta) -> Iterator[SendResult]:
        reply = f"no answer within {patience.total_seconds():g} s"
        for message in self.entry.messages[self._done :]:
            yield _verdict(self.entry, message, reply, patience, is_accepted=False)
            reply, patience = "not tried: the one before it had no answer", timedelta()


def _try_one(number: int, entry: Entry, verdicts: "queue.SimpleQueue[tuple[int, SendResult]]") -> None:
    sink: Sink | None = None
    for message in entry.messages:
        began = time.monotonic()
        try:
            sink = sink or entry.load()
            reply, is_accepted = sink.send(message), True
        except UpdateCheckError as error:
            reply, is_accepted = str(error), False
        except BaseException as error:  # noqa: BLE001 - another package's code may raise anything; it is the verdict
            reply, is_accepted = f"the sink broke: {type(error).__name__}: {words_of(error)}", False
        took = timedelta(seconds=time.monotonic() - began)
        verdicts.put((number, _verdict(entry, message, reply, took, is_accepted=is_accepted)))
    try:
        getattr(sink, "close", _nothing)()
    except Exception:  # noqa: BLE001 - every message has its verdict by now
        return


def _nothing() -> None:
    """Close nothing."""


def _verdict(entry: Entry, message: Message, reply: object, took: timedelta, *, is_accepted: bool) -> SendResult:
    return SendResult(
        sink=entry.sink,
        address=message.recipient.address,
        is_accepted=is_accepted,
        reply=reply if isinstance(reply, str) else "",
        took=took,
    )
