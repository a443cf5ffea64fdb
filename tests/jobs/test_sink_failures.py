"""Failures of a sink: each is recorded with its reason and deferred by its kind, and the worker goes on."""

import time
from asyncio import CancelledError
from datetime import timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from jobs.examples import Accepting, Raising, attempts, deliver, worker
from ledger.examples import DAY, NOW, SettableClock, facts, update
from ledger.steps import find_attempt, replan, states
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, SettingsError, TransientDeliveryError
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.messages.message import Message

PATCH = update("4.5.1")
SOON = timedelta(seconds=5)


class Speechless(Exception):  # noqa: N818 - as another author might name it
    """Breaks when its text is asked for."""

    def __str__(self) -> str:
        raise ValueError("no words")


ERRORS: list[tuple[str, BaseException, str, timedelta]] = [
    ("may pass", TransientDeliveryError("busy"), "busy", SOON),
    ("asks to wait", TransientDeliveryError("slow", retry_after=timedelta(hours=2)), "slow", timedelta(hours=2)),
    ("of neither kind", DeliveryError("odd"), "odd", SOON),
    ("wrong settings", SettingsError(["no URL"]), "no URL", SOON),
    ("a bug", KeyError("x\n"), "the sink broke: KeyError: 'x\\n'", SOON),
    ("a bug without a text", Speechless(), "the sink broke: Speechless:", SOON),
    ("an exit", SystemExit(3), "the sink broke: SystemExit: 3", SOON),
    ("a cancelled task", CancelledError("no loop"), "the sink broke: CancelledError: no loop", SOON),
    ("asks to wait for a number", TransientDeliveryError("slow", retry_after=7200), "slow", SOON),  # type: ignore[arg-type]  # as a plugin may
    ("gives no text", DeliveryError(b"no"), "b'no'", SOON),  # type: ignore[arg-type]  # as a plugin may
    ("a refusal", PermanentDeliveryError("no such user"), "no such user", 7 * DAY),
]


@pytest.mark.parametrize(("error", "reply", "wait"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_message_that_is_not_accepted(
    ledger: Ledger, path: Path, clock: SettableClock, error: BaseException, reply: str, wait: timedelta
) -> None:
    """Recorded with its reason, deferred by a tenth more or less than the table says, and not tried in this round."""
    is_refusal = isinstance(error, PermanentDeliveryError)
    replan(ledger, facts(PATCH))
    deliver(worker(path, Raising(error), clock), ledger)
    due_at = ledger.next_due_at("email", NOW)

    assert attempts(path) == [("failed" if is_refusal else "deferred", reply)]
    assert states(ledger, PATCH) == {
        ("user:1", "update/4.5.1/plain"): DeliveryState.FAILED if is_refusal else DeliveryState.PENDING
    }
    assert due_at is not None
    assert wait * 0.9 <= due_at - NOW <= wait * 1.1


def test_receiver_that_is_gone(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """The log says at once that there will be no further attempt."""
    replan(ledger, facts(PATCH))
    with capture_logs() as logs:
        deliver(worker(path, Raising(PermanentDeliveryError("gone", sink_wide=True)), clock), ledger)

    found = [(line["event"], line["log_level"], line["next_at"]) for line in logs]
    assert found == [("delivery.failed", "error", None)]
    assert find_attempt(ledger, NOW + 30 * DAY) is None


def test_sink_that_cannot_be_loaded(ledger: Ledger, path: Path, clock: SettableClock) -> None:
    """Its message is deferred with the reason, and the sink is loaded again at the next attempt."""
    replan(ledger, facts(PATCH))
    answers = iter([SettingsError(["its package is missing"]), None])

    def load() -> Accepting:
        if (error := next(answers)) is not None:
            raise error
        return Accepting()

    deliverer = worker(path, Accepting(), clock, load_sink=load)
    deliver(deliverer, ledger)
    clock.step(DAY)
    deliver(deliverer, ledger)

    assert attempts(path) == [("deferred", "its package is missing"), ("sent", "250 ok")]


@pytest.mark.parametrize("error", [RuntimeError("no connection"), SystemExit(1)])
def test_sink_that_breaks_when_it_is_closed(
    ledger: Ledger, path: Path, clock: SettableClock, error: BaseException
) -> None:
    """It has delivered, with any reply, all the same; a crash is logged, and the thread ends in order."""
    replan(ledger, facts(PATCH))

    class Breaking(Accepting):
        def send(self, message: Message) -> str | None:
            del message
            return 250  # type: ignore[return-value]  # as a plugin may

        def close(self) -> None:
            raise error

    deliverer = worker(path, Breaking(), clock)
    with capture_logs() as logs:
        deliverer.run()

    assert attempts(path) == [("sent", "")]
    assert "delivery.crashed" in [line["event"] for line in logs]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param(timedelta(seconds=30), timedelta(seconds=30), id="a quick sink"),
        pytest.param(timedelta(days=1), ATTEMPT_LIMIT, id="a sink that asks for too much"),
        pytest.param(None, ATTEMPT_LIMIT, id="a sink without a limit"),
        pytest.param(30, ATTEMPT_LIMIT, id="a sink with a wrong type"),
    ],
)
def test_time_limit_of_an_attempt(
    ledger: Ledger, path: Path, clock: SettableClock, asked: object, expected: timedelta
) -> None:
    """The sink may ask for less than our own bound; the attempt in progress is visible to the main thread."""
    replan(ledger, facts(PATCH))
    seen: list[float] = []

    def look() -> None:
        assert deliverer.current is not None
        seen.append(deliverer.ends_at - time.monotonic())

    sink = Accepting(look)
    sink.attempt_limit = asked
    deliverer = worker(path, sink, clock)
    deliverer._sink = sink
    deliver(deliverer, ledger)

    assert seen == [pytest.approx(expected.total_seconds(), abs=10)]
    assert (deliverer.current, deliverer.ends_at) == (None, float("inf"))
