"""Workers and sinks for the tests of delivering."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from ledger.examples import INSTANCE, SETTINGS, SettableClock
from ledger.locations import query
from mastodon_update_check.config import Settings, load_settings
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.discovery import Sink

PATIENCE_SECONDS = 30
"""How long a test waits for another thread before it fails."""


class Accepting:
    """Takes every message, after an action if there is one."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.act = act
        self.messages: list[Message] = []
        self.closed = 0
        self.attempt_limit: object = None

    def send(self, message: Message) -> str | None:
        self.act()
        self.messages.append(message)
        return "250 ok\n"

    def close(self) -> None:
        self.closed += 1


class Raising(Accepting):
    """Takes no message."""

    def __init__(self, *errors: BaseException) -> None:
        super().__init__()
        self.errors = list(errors)

    def send(self, message: Message) -> str | None:
        """Raise the next error; the last one stays."""
        self.messages.append(message)
        raise self.errors.pop(0) if len(self.errors) > 1 else self.errors[0]


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
    """Return the content of messages that does not come from their notices."""
    return MessageContext(instance=INSTANCE, knowledge=ledger.state(), now=SettableClock()(), hostname="host.example")


def worker(
    path: Path,
    sink: Sink,
    clock: SettableClock,
    *,
    describe: Callable[[Ledger], MessageContext] = make_context,
    load_sink: Callable[[], Sink] | None = None,
    due_by: datetime | None = None,
) -> DeliveryWorker:
    """Return the worker of a sink for mail; one of a command (`due_by`) waits for other writers of the ledger."""
    location = SqliteLocation(path, busy_seconds=0 if due_by is None else 5)
    return DeliveryWorker(
        sink_name="email",
        load_sink=load_sink or (lambda: sink),
        settings=SETTINGS,
        open_ledger=lambda: Ledger.open(location, INSTANCE, verify=False),
        describe=describe,
        clock=clock,
        due_by=due_by,
        record_pause=timedelta(milliseconds=20),
    )


def outcomes(path: Path) -> list[object]:
    """Return the outcome of every attempt, as another process sees it; None for one that is in progress."""
    return [row[0] for row in query(path, "SELECT outcome FROM attempt ORDER BY ended_at IS NULL, ended_at, number")]


def deliver(deliverer: DeliveryWorker, ledger: Ledger) -> None:
    """Deliver messages that are due at the start."""
    deliverer.due_by = deliverer.clock()
    deliverer.deliver_due(ledger)


def attempts(path: Path) -> list[tuple[object, ...]]:
    """Return outcome and reply of every attempt."""
    return query(path, "SELECT outcome, reply FROM attempt ORDER BY number")


def check_settings(directory: Path, url: str) -> Settings:
    """Return settings with which a check asks `url` alone, for 4.5.19, and mails one address."""
    (directory / "config.env").touch()
    return load_settings(
        {
            "HOME": str(directory),
            "LOCAL_DOMAIN": INSTANCE,
            "SMTP_SERVER": "127.0.0.1",
            "UPDATE_CHECK_CONFIG": str(directory / "config.env"),
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_LEDGER": str(directory / "ledger.sqlite3"),
            "UPDATE_CHECK_MASTODON_ROOT": str(directory),
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
            "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
            "UPDATE_CHECK_SINKS": "email",
            "UPDATE_CHECK_URL": url,
        }
    )
