"""The contract that every sink fulfils."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import pytest

from captured_logs import capture_logs
from mastodon_update_check.errors import DeliveryError
from mastodon_update_check.sinks.discovery import Sink, load_sink
from simulators.http_server import HttpServer, Reply, unused_port
from simulators.smtp_server import SmtpServer
from sinks.examples import MESSAGE, email_sink


@dataclass(frozen=True, slots=True)
class Bench:
    """A sink, and what the other side has got."""

    sink: Sink
    received: Callable[[], list[str]]


@contextmanager
def mail() -> Iterator[Bench]:
    """Open a mail sink with a server."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        yield Bench(sink, lambda: [received.data.decode() for received in server.mails])


@contextmanager
def webhook() -> Iterator[Bench]:
    """Open a webhook with a receiver."""
    with HttpServer(lambda _: Reply(204)) as server:
        sink = load_sink("webhook", {"url": server.url()})
        yield Bench(sink, lambda: [f"{request.headers['webhook-id']} {request.body!r}" for request in server.requests])


@contextmanager
def log() -> Iterator[Bench]:
    """Open the log."""
    with capture_logs() as lines:
        yield Bench(load_sink("log", {}), lambda: [json.dumps(line) for line in lines])


@pytest.fixture(params=[mail, webhook, log], ids=["email", "webhook", "log"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Return each sink in turn."""
    with request.param() as opened:
        yield opened


def test_one_message_is_one_delivery(bench: Bench) -> None:
    """A message arrives once, with its id; the reply is text or nothing."""
    reply = bench.sink.send(MESSAGE)

    [received] = bench.received()
    assert MESSAGE.id in received
    assert reply is None or reply.isprintable()


def test_close_is_optional_and_repeatable(bench: Bench) -> None:
    """A sink with `close` may be closed at any time, twice, and used again."""
    close: Callable[[], None] = getattr(bench.sink, "close", lambda: None)
    close()
    bench.sink.send(MESSAGE)
    close()
    close()
    bench.sink.send(MESSAGE)

    assert len(bench.received()) == 2


@pytest.mark.parametrize("plugin", ["email", "webhook"])
def test_failure_is_raised(plugin: str) -> None:
    """A sink that cannot deliver raises, and its text is one line."""
    port = unused_port()
    options = {"server": "localhost", "port": str(port), "url": f"http://localhost:{port}/"}
    with nullcontext(load_sink(plugin, options)) as sink, pytest.raises(DeliveryError) as caught:
        sink.send(MESSAGE)

    assert str(caught.value).isprintable()
