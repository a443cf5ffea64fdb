"""Send test messages: one to each recipient, all sinks at the same time. Nothing is stored."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import Empty, SimpleQueue

from mastodon_update_check.domain.text import words_of
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.jobs.threads import in_thread
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.discovery import Sink

PATIENCE = timedelta(seconds=60)
"""How long to wait for the next result before the sinks that have not finished count as hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTest:
    """A sink, and the messages that it is to deliver."""

    sink: str
    load: Callable[[], Sink]
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The result of one message."""

    sink: str
    address: str
    """The recipient's; empty for sinks without addresses."""
    is_accepted: bool
    reply: str
    """The reply of the other side, or the reason of a failure; not yet fit to be shown."""
    took: timedelta


def send_tests(tests: Sequence[SinkTest], patience: timedelta = PATIENCE) -> Iterator[SendResult]:
    """Deliver every message once, each sink in a thread of its own; yield each result as it arrives.

    When none has arrived for `patience`, the remaining messages have failed.
    """
    results: SimpleQueue[SendResult] = SimpleQueue()
    left = [(test.sink, message.recipient.address) for test in tests for message in test.messages]
    threads = [in_thread(partial(_run, test, results.put)) for test in tests if test.messages]
    while left:
        try:
            result = results.get(timeout=patience.total_seconds())
        except Empty:
            break
        left.remove((result.sink, result.address))
        yield result
    hanging: set[str] = set()
    for sink, address in left:
        reply = f"no answer within {patience.total_seconds():g} s"
        if sink in hanging:
            reply = "not tried: the one before it had no answer"
        hanging.add(sink)
        yield SendResult(sink=sink, address=address, is_accepted=False, reply=reply, took=patience)
    if not left:
        wait(threads, timeout=patience.total_seconds())  # until the connections are closed


def _run(test: SinkTest, post: Callable[[SendResult], None]) -> None:
    """Send the messages, and post a result for each."""
    sink: Sink | None = None
    for message in test.messages:
        began, reply, is_accepted = time.monotonic(), "", False
        try:
            sink = sink or test.load()
            said = sink.send(message)
            reply, is_accepted = said if isinstance(said, str) else "", True
        except UpdateCheckError as error:
            reply = str(error)
        except BaseException as error:  # noqa: BLE001 - another package's code may raise anything
            reply = f"the sink broke: {type(error).__name__}: {words_of(error)}"
        took = timedelta(seconds=time.monotonic() - began)
        address = message.recipient.address
        post(SendResult(sink=test.sink, address=address, is_accepted=is_accepted, reply=reply, took=took))
    close = getattr(sink, "close", None)
    if close is not None:
        close()
