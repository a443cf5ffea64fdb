"""The workers: each sink in a thread of its own, whatever one of them does; the ledger may come and go."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.program import LONGEST, Machine, wait_until
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from mastodon_update_check.daemon.worker import Worker
from mastodon_update_check.errors import DeliveryError, TransientDeliveryError
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT
from mastodon_update_check.ledger.file import set_aside
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.base import Sink
from simulators.update_server import UpdateServer


class Recorder:
    """A sink that keeps what it gets; each sending ends when `may_end` is set, and raises `failure` then."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.begun = 0
        self.closed = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.failure: BaseException | None = None

    def send(self, message: Message) -> None:
        self.begun += 1
        self.may_end.wait(LONGEST)
        if self.failure is not None:
            raise self.failure
        self.got.append(message)

    def close(self) -> None:
        self.closed += 1


class Quick(Recorder):
    """Says how long it takes at most."""

    def __init__(self, limit: object) -> None:
        super().__init__()
        self.attempt_limit = limit


class Office:
    """An app with a real ledger, and workers of its log sink whose sink is another."""

    def __init__(self, machine: Machine) -> None:
        self.app = App(load_settings(machine.environment))
        self.changes = 0
        self.app.create_ledger().close()

    def check(self) -> None:
        """Plan what is to be told."""
        with self.app.open_ledger() as ledger:
            assert self.app.check(ledger).error is None

    def worker(self, sink: Sink) -> Worker:
        """Return a worker for this sink."""
        with self.app.open_ledger() as ledger:
            (courier,) = self.app.couriers(ledger)
        courier = replace(courier, load_sink=lambda: sink)
        courier.load()
        return Worker(courier, self._count)

    @contextmanager
    def working(self, sink: Recorder) -> Iterator[Worker]:
        """Run a worker for the duration of the block."""
        worker = self.worker(sink)
        worker.start()
        try:
            yield worker
        finally:
            sink.may_end.set()
            worker.stop()
            assert worker.join(LONGEST)

    def _count(self) -> None:
        self.changes += 1


@pytest.fixture
def office(machine: Machine, update_server: UpdateServer) -> Office:
    """Return an office that knows of 4.5.20."""
    assert update_server.url
    machine.configure(UPDATE_CHECK_SINKS="log")
    return Office(machine)


def test_sends_what_is_due(office: Office) -> None:
    """What was planned before the start is sent, the connection is closed, and whoever shows the status is told."""
    office.check()
    sink = Recorder()
    with office.working(sink):
        wait_until(lambda: office.changes, "news")
        assert (1, 1) == (len(sink.got), sink.closed)
    assert 1 == len(sink.got)


def test_sends_when_woken(office: Office) -> None:
    """What is planned later is sent at once when the worker is woken, which otherwise sleeps for a minute."""
    sink = Recorder()
    with office.working(sink) as worker:
        wait_until(lambda: sink.closed, "the first look")
        office.check()
        worker.wake()
        wait_until(lambda: sink.got, "the message")


def test_stop_begins_nothing(office: Office, update_server: UpdateServer) -> None:
    """After a stop, the attempt in hand comes to its end and is recorded; the next message is left."""
    office.check()
    update_server.publish("4.5.21")
    office.check()
    sink = Recorder()
    sink.may_end.clear()
    with office.working(sink) as worker:
        wait_until(lambda: sink.begun, "the attempt")
        worker.stop()
        assert not worker.join(0)
        sink.may_end.set()
        assert worker.join(LONGEST)
        assert not worker.is_alive
    assert 1 == sink.begun
    with office.app.open_ledger() as ledger:
        assert 1 == ledger.summary("social.example", office.app.clock()).deferred


@pytest.mark.parametrize("failure", [SystemExit("plugins do so"), RuntimeError("as a test")])
def test_a_sink_that_breaks(office: Office, failure: BaseException) -> None:
    """Whatever a sink raises, its worker lives on, and tries again when it is time."""
    office.check()
    sink = Recorder()
    sink.failure = failure
    with office.working(sink) as worker:
        wait_until(lambda: office.changes, "news")
        assert worker.is_alive
        assert 1 == sink.begun
    assert [] == sink.got


def test_a_sink_that_cannot_be_closed(office: Office, update_server: UpdateServer) -> None:
    """A sink whose close() breaks is complained about, and goes on delivering."""

    class Unclosable(Recorder):
        def close(self) -> None:
            super().close()
            raise RuntimeError("no close")

    office.check()
    sink = Unclosable()
    with office.working(sink) as worker:
        wait_until(lambda: worker.trouble, "trouble")
        assert "the worker of log crashed: RuntimeError: no close" == worker.trouble
        update_server.publish("4.5.21")
        office.check()
        worker.wake()
        wait_until(lambda: len(sink.got) == 2, "the next message")


def test_who_waited_for_the_ledger_steals_nothing(office: Office) -> None:
    """A claim that is asked for with the time from before a wait, and was renewed meanwhile, still stands."""
    office.check()
    began = office.app.clock()
    with office.app.open_ledger() as ledger:
        claim = ledger.claim("social.example", "log", "", began, began)
        assert claim is not None
        assert ledger.renew(claim, began + timedelta(seconds=5))
        assert ledger.claim("social.example", "log", "", began, began) is None
        assert ledger.renew(claim, began + timedelta(seconds=5))


def test_a_failing_sink_is_left_alone(office: Office) -> None:
    """After a failure the message waits for its time; it is not tried again and again."""
    office.check()
    sink = Recorder()
    sink.failure = TransientDeliveryError("come back later", retry_after=timedelta(hours=1))
    with office.working(sink) as worker:
        wait_until(lambda: sink.begun and office.changes, "the attempt")
        worker.wake()
        wait_until(lambda: sink.closed >= 2, "another look")
    assert isinstance(sink.failure, DeliveryError)
    assert 1 == sink.begun


def test_ledger_that_goes_and_comes_back(office: Office) -> None:
    """Without a ledger nothing is sent, which is said once; when it is back, so is the work."""
    path = Path(str(office.app.ledger_place))
    away = path.with_name("away")
    sink = Recorder()
    with office.working(sink) as worker:
        wait_until(lambda: sink.closed, "the first look")
        office.check()
        path.rename(away)
        worker.wake()
        wait_until(lambda: office.changes == 1, "news")
        assert str(path) in worker.trouble
        away.rename(path)
        worker.wake()
        wait_until(lambda: sink.got, "the message")
        wait_until(lambda: not worker.trouble, "recovery")


def test_acceptance_is_recorded_by_a_worker_that_stops(office: Office) -> None:
    """The ledger could not take it, and can again when the daemon is restarted: it does not go out once more."""
    path = Path(str(office.app.ledger_place))
    away = path.with_name("away")

    class Losing(Recorder):
        def send(self, message: Message) -> None:
            super().send(message)
            path.rename(away)

    office.check()
    sink = Losing()
    worker = office.worker(sink)
    worker.courier.record_patience = timedelta(seconds=0.05)
    worker.start()
    wait_until(lambda: worker.trouble, "a ledger that is gone")
    away.rename(path)
    worker.stop()
    assert worker.join(LONGEST)
    with office.app.open_ledger() as ledger:
        assert (1, "", 0) == (len(sink.got), worker.trouble, office.app.summary(ledger).undelivered)


def test_new_ledger(office: Office) -> None:
    """After `ledger new` a worker uses the new one, not the one that was set aside."""
    sink = Recorder()
    with office.working(sink) as worker:
        wait_until(lambda: sink.closed, "the first look")
        set_aside(Path(str(office.app.ledger_place)), office.app.clock())
        office.app.create_ledger().close()
        office.check()
        worker.wake()
        wait_until(lambda: sink.got, "the message")


def test_hanging_past_the_limit(office: Office) -> None:
    """An attempt that takes longer than its sink said shows as overdue, as long as it lasts."""
    office.check()
    sink = Quick(timedelta(seconds=0.05))
    sink.may_end.clear()
    operations = office.app.operations
    with office.working(sink):
        wait_until(lambda: operations.overdue() == ("delivery by log",), "the limit")
        assert not operations.is_idle
        sink.may_end.set()
        wait_until(lambda: operations.is_idle, "the end")
        assert () == operations.overdue()


@pytest.mark.parametrize("limit", [timedelta(days=365), 5, None, "1 h"])
def test_limit_has_a_bound(office: Office, limit: object) -> None:
    """A sink cannot allow itself more than 20 minutes, and nonsense counts for nothing."""
    office.check()
    sink = Quick(limit)
    sink.may_end.clear()
    with office.working(sink):
        wait_until(lambda: sink.begun, "the attempt")
        end = office.app.operations._ends["delivery by log"]
        assert 0 < end - time.monotonic() <= ATTEMPT_LIMIT.total_seconds()
        assert end - time.monotonic() > ATTEMPT_LIMIT.total_seconds() - LONGEST
