"""Couriers and sinks for the tests of delivering."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ledger.examples import INSTANCE, SETTINGS, SettableClock
from mastodon_update_check.domain.outbox import Outcome
from mastodon_update_check.jobs.deliver import Courier
from mastodon_update_check.jobs.operations import Operations
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import FilePlace
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.base import Sink

PATIENCE_SECONDS = 30
"""How long a test waits for another thread before it fails."""


class Accepting:
    """Takes every message."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.closed = 0
        self.attempt_limit: object = None

    def send(self, message: Message) -> str | None:
        self.messages.append(message)
        return "250 ok\n"

    def close(self) -> None:
        self.closed += 1


class Raising(Accepting):
    """Takes no message."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def send(self, message: Message) -> str | None:
        self.messages.append(message)
        raise self.error


class Acting(Accepting):
    """Does something first, then takes the message, if the claim still stands."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act

    def send(self, message: Message) -> str | None:
        self.act()
        message.confirm_claim()
        return super().send(message)


class Hanging(Accepting):
    """Takes a message only when it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def send(self, message: Message) -> str | None:
        self.has_begun.set()
        assert self.may_end.wait(PATIENCE_SECONDS)
        return super().send(message)


def make_context(ledger: Ledger) -> MessageContext:
    """Return what messages say besides their notices."""
    return MessageContext(
        instance=INSTANCE, knowledge=ledger.knowledge(INSTANCE), now=SettableClock()(), hostname="host.example"
    )


def courier(
    path: Path,
    sink: Sink,
    clock: SettableClock,
    *,
    sink_name: str = "email",
    describe: Callable[[Ledger], MessageContext] = make_context,
    load_sink: Callable[[], Sink] | None = None,
    open_ledger: Callable[[], Ledger] | None = None,
    renewal: timedelta = timedelta(hours=1),
    record_patience: timedelta = timedelta(0),
) -> Courier:
    """Return a courier whose lease is not renewed while a test goes on, if it does not ask for that."""
    return Courier(
        sink_name=sink_name,
        load_sink=load_sink or (lambda: sink),
        settings=SETTINGS,
        instance=INSTANCE,
        open_ledger=open_ledger or (lambda: Ledger.open(FilePlace(path, busy_seconds=1), verify=False)),
        describe=describe,
        clock=clock,
        operations=Operations(),
        renewal=renewal,
        record_patience=record_patience,
    )


def deliver_next(messenger: Courier, ledger: Ledger, due_by: datetime) -> Outcome | None:
    """Make one attempt at the next message that was due at `due_by`; None when there is none."""
    turns = iter((True, False))
    return next(iter(messenger.deliver_due(ledger, lambda: due_by, lambda: next(turns))), None)
