"""Send test messages: one to each recipient, all sinks at the same time. Nothing is stored."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as TimeLimitError
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from queue import SimpleQueue

from mastodon_update_check.domain.text import words_of
from mastodon_update_check.errors import UpdateCheckError
from mastodon_update_check.jobs.threads import in_thread
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.base import Sink

PATIENCE = timedelta(seconds=60)
"""How long a sink may take for one message before it counts as hanging."""


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
    """Deliver every message once, all sinks at the same time; yield each result as it arrives.

    A sink that takes longer than `patience` for one message fails, with its remaining messages.
    """
    results: SimpleQueue[SendResult | None] = SimpleQueue()
    for test in tests:
        in_thread(partial(_run, test, patience, results.put))
    running = len(tests)
    while running:
        result = results.get()
        if result is None:
            running -= 1
        else:
            yield result


def _run(test: SinkTest, patience: timedelta, post: Callable[[SendResult | None], None]) -> None:
    """Post a result for each message, then None."""
    sink: list[Sink] = []
    is_hanging = False
    for message in test.messages:
        began = time.monotonic()
        reply: object = "not tried: the one before it had no answer"
        is_accepted = False
        if not is_hanging:
            try:
                reply, is_accepted = in_thread(partial(_send, test, sink, message)).result(patience.total_seconds())
            except TimeLimitError:
                reply, is_hanging = f"no answer within {patience.total_seconds():g} s", True
        post(
            SendResult(
                sink=test.sink,
                address=message.recipient.address,
                is_accepted=is_accepted,
                reply=reply if isinstance(reply, str) else "",
                took=timedelta(seconds=time.monotonic() - began),
            )
        )
    close = getattr(sink[0], "close", None) if sink else None
    if close is not None and not is_hanging:
        wait([in_thread(close)], timeout=patience.total_seconds())  # every message has its result by now
    post(None)


def _send(test: SinkTest, sink: list[Sink], message: Message) -> tuple[str | None, bool]:
    """Send one message; load the sink into the empty list `sink` before the first one."""
    try:
        if not sink:
            sink.append(test.load())
        return sink[0].send(message), True
    except UpdateCheckError as error:
        return str(error), False
    except BaseException as error:  # noqa: BLE001 - another package's code may raise anything
        return f"the sink broke: {type(error).__name__}: {words_of(error)}", False
