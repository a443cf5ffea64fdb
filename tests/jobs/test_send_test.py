"""Test messages: each sink is tried independently of the others."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from mastodon_update_check.cli.send_test import SinkTest, send_tests
from mastodon_update_check.errors import SettingsError, TransientDeliveryError
from mastodon_update_check.messages.message import Message
from sinks.examples import MESSAGE

SOON = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)


class FakeSink:
    """A sink that calls a function for each message."""

    def __init__(self, act: Callable[[Message], str | None]) -> None:
        self.send = act
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def sink_test(name: str, act: Callable[[Message], str | None], *addresses: str) -> tuple[SinkTest, FakeSink]:
    """Return a sink with one test message for each address."""
    base = MESSAGE
    messages = tuple(replace(base, recipient=replace(base.recipient, address=each)) for each in addresses or ("",))
    sink = FakeSink(act)
    return SinkTest(sink=name, load=lambda: sink, messages=messages), sink


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Return the event that a hanging sink waits for."""
    event = threading.Event()
    yield event
    event.set()


def fail(error: BaseException) -> Callable[[Message], str | None]:
    """Return a function that raises."""

    def act(_: Message) -> str | None:
        raise error

    return act


def test_hanging_sink_delays_no_other(gate: threading.Event) -> None:
    """The others' results arrive at once; the hanging message fails, and so do those after it."""
    hanging, _ = sink_test("slow", lambda _: str(gate.wait(60)), "a@x", "b@x")
    quick, sink = sink_test("quick", lambda _: "250 ok")
    verdicts = send_tests([hanging, quick], SOON)
    first = next(verdicts)
    assert (first.sink, first.is_accepted, first.reply) == ("quick", True, "250 ok")
    rest = [(each.address, each.is_accepted, each.reply) for each in verdicts]
    assert rest == [
        ("a@x", False, "no answer within 0.3 s"),
        ("b@x", False, "not tried: the one before it had no answer"),
    ]
    assert sink.closed == 1


def test_results_are_not_held_back(gate: threading.Event) -> None:
    """The result of one sink is there before another one has ended."""
    slow, _ = sink_test("slow", lambda _: str(gate.wait(60)))
    quick, _ = sink_test("quick", lambda _: "250 ok")
    results = send_tests([slow, quick], LONG)
    first = next(results)
    gate.set()
    assert [(each.sink, each.is_accepted) for each in (first, *results)] == [("quick", True), ("slow", True)]


def break_settings() -> FakeSink:
    """Load a sink whose settings are wrong."""
    raise SettingsError(["there is no sink 'ntfy'"])


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        pytest.param(TransientDeliveryError("451 later"), "451 later", id="refused"),
        pytest.param(ZeroDivisionError("x"), "the sink broke: ZeroDivisionError: x", id="broken"),
        pytest.param(SystemExit(3), "the sink broke: SystemExit: 3", id="wants to leave"),
    ],
)
def test_error_of_a_sink_is_its_result(error: BaseException, reply: str) -> None:
    """The next recipient is tried nevertheless."""
    failing, _ = sink_test("bad", fail(error), "a@x", "b@x")
    assert [(each.is_accepted, each.reply) for each in send_tests([failing], LONG)] == [(False, reply)] * 2


def test_sinks_of_other_packages() -> None:
    """One that cannot be loaded has failed, a reply need not be text, and one without messages is not loaded."""
    broken = replace(sink_test("ntfy", str)[0], load=break_settings)
    odd, _ = sink_test("odd", lambda _: 5)  # type: ignore[arg-type,return-value] # on purpose
    idle, sink = sink_test("idle", str)
    results = {each.sink: (each.is_accepted, each.reply) for each in send_tests([broken, odd], LONG)}
    assert results == {"ntfy": (False, "there is no sink 'ntfy'"), "odd": (True, "")}
    assert (list(send_tests([replace(idle, messages=())], LONG)), sink.closed) == ([], 0)
