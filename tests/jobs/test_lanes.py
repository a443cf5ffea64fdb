"""Lanes: a sink with many messages to deliver gets another worker, with a connection of its own."""

import threading
from pathlib import Path

import pytest

from jobs.examples import PATIENCE_SECONDS, Accepting, worker
from ledger.examples import NOW, SettableClock, facts, update
from ledger.locations import query
from ledger.steps import replan
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.jobs.workers import MESSAGES_A_LANE, Deliveries, add_lanes
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.message import Message

MANY = tuple(
    Recipient(sink="email", key=f"user:{n}", address=f"user{n}@social.example", name=f"user{n}")
    for n in range(MESSAGES_A_LANE)
)


class Meeting(Accepting):
    """Accepts, or refuses, its first message once the sink of another lane has one as well."""

    def __init__(self, barrier: threading.Barrier, error: TransientDeliveryError | None = None) -> None:
        super().__init__()
        self.barrier = barrier
        self.error = error

    def send(self, message: Message) -> str | None:
        if not self.messages:
            self.barrier.wait(PATIENCE_SECONDS)
        super().send(message)
        if self.error is not None:
            raise self.error
        return "250 ok"


@pytest.mark.parametrize(
    ("recipients", "only_to", "lanes"),
    [
        pytest.param(MESSAGES_A_LANE - 1, "", 1, id="few messages"),
        pytest.param(MESSAGES_A_LANE, "", 2, id="many messages"),
        pytest.param(MESSAGES_A_LANE, "url:1", 1, id="the sink leads to one recipient"),
    ],
)
def test_number_of_lanes(
    recipients: int, only_to: str, lanes: int, ledger: Ledger, path: Path, clock: SettableClock
) -> None:
    """There is another lane only for a sink of many recipients with many messages."""
    replan(ledger, facts(update("4.5.1"), to=MANY[:recipients]))
    only = worker(path, Accepting(), clock)
    only.only_to = only_to

    added = add_lanes([only], ledger)

    assert [each.is_extra for each in added] == [False, True][:lanes]
    assert added[0] is only


def test_each_message_is_delivered_once_by_two_lanes_at_a_time(
    ledger: Ledger, path: Path, clock: SettableClock
) -> None:
    """Both lanes have a message in flight, and no message is taken by both."""
    replan(ledger, facts(update("4.5.1"), to=MANY))
    barrier, sinks = threading.Barrier(2), list[Meeting]()

    def load_sink() -> Meeting:
        sinks.append(Meeting(barrier))
        return sinks[-1]

    lanes = add_lanes([worker(path, Accepting(), clock, load_sink=load_sink, due_by=NOW)], ledger)
    deliveries = Deliveries(lanes)
    deliveries.run(ledger)
    assert deliveries.sent == len(MANY)
    received = [message.recipient for sink in sinks for message in sink.messages]
    assert sorted(received, key=str) == sorted(MANY, key=str)
    assert [sink.closed for sink in sinks] == [1, 1]


def test_failure_of_both_lanes_counts_once(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """A server that refuses both messages at the same moment has failed once, and is retried after the first step."""
    replan(ledger, facts(update("4.5.1"), to=MANY))
    barrier, error = threading.Barrier(2), TransientDeliveryError("not now", sink_wide=True)
    lanes = add_lanes([worker(path, Accepting(), clock, load_sink=lambda: Meeting(barrier, error), due_by=NOW)], ledger)
    deliveries = Deliveries(lanes)
    deliveries.run(ledger)
    assert deliveries.sent == 0
    assert query(path, "SELECT count(*) FROM attempt") == [(2,)]
    assert query(path, "SELECT failures FROM sink") == [(1,)]
