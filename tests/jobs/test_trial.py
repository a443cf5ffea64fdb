"""A trial of the sinks: each on its own, whatever the others do."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mastodon_update_check.errors import SettingsError, TransientDeliveryError
from mastodon_update_check.jobs.send_test import Entry, try_sinks
from mastodon_update_check.messages.message import Message
from sinks.examples import MESSAGE

SOON = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)


class Tongue:
    """A sink that does what it is told to."""

    def __init__(self, act: Callable[[Message], str | None]) -> None:
        self.send = act
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def entry(name: str, act: Callable[[Message], str | None], *addresses: str) -> tuple[Entry, Tongue]:
    """Return a sink on trial with one message for each address."""
    base = MESSAGE
    messages = tuple(replace(base, recipient=replace(base.recipient, address=each)) for each in addresses or ("",))
    sink = Tongue(act)
    return Entry(sink=name, load=lambda: sink, messages=messages), sink


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return what a hanging sink waits for."""
    event = threading.Event()
    yield event
    event.set()


def fail(error: BaseException) -> Callable[[Message], str | None]:
    """Return an act that raises."""

    def act(_: Message) -> str | None:
        raise error

    return act


def test_one_that_hangs_delays_nobody(gate: threading.Event) -> None:
    """The others' verdicts come at once; the one that hangs, and what comes after it, has failed."""
    hanging, _ = entry("slow", lambda _: str(gate.wait(60)), "a@x", "b@x")
    quick, sink = entry("quick", lambda _: "250 ok")
    verdicts = try_sinks([hanging, quick], SOON)
    first = next(verdicts)
    assert ("quick", True, "250 ok") == (first.sink, first.is_accepted, first.reply)
    rest = [(each.address, each.is_accepted, each.reply) for each in verdicts]
    assert [
        ("a@x", False, "no answer within 0.3 s"),
        ("b@x", False, "not tried: the one before it had no answer"),
    ] == rest
    assert 1 == sink.closed


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        pytest.param(TransientDeliveryError("451 later"), "451 later", id="refused"),
        pytest.param(ZeroDivisionError("x"), "the sink broke: ZeroDivisionError: x", id="broken"),
        pytest.param(SystemExit(3), "the sink broke: SystemExit: 3", id="wants to leave"),
    ],
)
def test_failures(error: BaseException, reply: str) -> None:
    """Whatever it raises is its verdict, and the next recipient is tried all the same."""
    failing, _ = entry("bad", fail(error), "a@x", "b@x")
    assert [(False, reply)] * 2 == [(each.is_accepted, each.reply) for each in try_sinks([failing], LONG)]


def test_a_sink_that_cannot_be_loaded() -> None:
    """What is wrong with it is its verdict."""

    def load() -> Tongue:
        raise SettingsError(["there is no sink 'ntfy'"])

    (verdict,) = try_sinks([replace(entry("ntfy", str)[0], load=load)], LONG)
    assert (False, "there is no sink 'ntfy'") == (verdict.is_accepted, verdict.reply)


def test_a_reply_that_is_no_text() -> None:
    """A sink of another package may return anything."""
    odd, _ = entry("odd", lambda _: 5)  # type: ignore[arg-type,return-value] # on purpose
    assert [(True, "")] == [(each.is_accepted, each.reply) for each in try_sinks([odd], LONG)]


def test_nobody_to_send_to() -> None:
    """A sink without messages has no verdict, and nothing waits for it."""
    idle, sink = entry("idle", str)
    assert ([], 0) == (list(try_sinks([replace(idle, messages=())], LONG)), sink.closed)
