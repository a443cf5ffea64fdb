"""Every status a receiver can answer with, and every form of `Retry-After`, as one table.

====== =========================================================================================
ok     accepted
retry  deferred, and with it everything else for this webhook, for as long as it asks, up to 24 h
never  refused for good, this message alone
gone   refused for good, and nothing else is posted until the URL changes
====== =========================================================================================
"""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.webhook import create, judge
from simulators.http_server import Answer, HttpServer, Reply, Request
from sinks.examples import MESSAGE

# Statuses from and to, and the outcome; the first row that fits holds.
TABLE = """
100-199  retry
200-299  ok
300-399  retry
401      retry
403      retry
404      retry
408      retry
410      gone
425      retry
429      retry
400-499  never
500-999  retry
"""
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING, DAY = timedelta(), timedelta(hours=24)
# A form of `Retry-After`, and the wait that it asks for; None for one that cannot be understood.
FORMS: dict[str, tuple[str, timedelta | None]] = {
    "none": ("", None),
    "zero": ("0", NOTHING),
    "seconds": ("90", timedelta(seconds=90)),
    "seconds, with whitespace": (" 120 ", timedelta(minutes=2)),
    "a day": ("86400", DAY),
    "more than a day is cut": ("86401", DAY),
    "years of seconds": ("315360000", DAY),
    "an endless number": ("9" * 4_000, None),
    "negative": ("-1", None),
    "a fraction": ("1.5", None),
    "a date": ("Mon, 23 Nov 2026 12:01:30 GMT", timedelta(seconds=90)),
    "a date of RFC 850": ("Monday, 23-Nov-26 12:01:30 GMT", timedelta(seconds=90)),
    "a date of asctime": ("Mon Nov 23 12:01:30 2026", timedelta(seconds=90)),
    "a date with an offset": ("Mon, 23 Nov 2026 13:05:00 +0100", timedelta(minutes=5)),
    "a date long ago": ("Thu, 01 Jan 1970 00:00:00 GMT", NOTHING),
    "a date in years": ("Wed, 31 Dec 2036 23:59:59 GMT", DAY),
    "the last date of all": ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    "no such date": ("Mon, 31 Feb 2026 12:00:00 GMT", None),
    "two values": ("90, 120", None),
    "words": ("in a while", None),
    "other digits": ("٩٠", None),
    "not text": ("\x00\xff", None),
}


def expected(status: int) -> str:
    """Return the word of the table for a status."""
    for line in TABLE.strip().splitlines():
        span, word = line.split()
        low, _, high = span.partition("-")
        if int(low) <= status <= int(high or low):
            return word
    raise AssertionError(status)


def word(error: DeliveryError | None) -> str:
    """Return the word of the table for the outcome of an attempt."""
    if error is None:
        return "ok"
    if isinstance(error, PermanentDeliveryError):
        return "gone" if error.sink_wide else "never"
    return "retry" if error.sink_wide else "retry, this message alone"


@pytest.mark.parametrize("form", FORMS)
def test_every_status_with_every_form(form: str) -> None:
    """The table holds; a wait is taken from answers that are retried."""
    text, wait = FORMS[form]
    for status in range(100, 1000):
        error = judge(status, httpx.Headers([(b"Retry-After", text.encode())] if text else []), "a sentence", NOON)
        assert (status, word(error)) == (status, expected(status))
        if isinstance(error, TransientDeliveryError):
            assert (status, error.retry_after) == (status, wait)


def attempt(url: str) -> DeliveryError | None:
    """Post one message; an error is one line, without the URL's path."""
    error = None
    try:
        create({"url": url}, clock=NOON.timestamp).send(MESSAGE)
    except DeliveryError as failure:
        error = failure
    assert error is None or (error.reply.isprintable() and "/hook" not in error.reply)
    return error


@pytest.mark.parametrize("hundred", [200, 300, 400, 500, 900])
def test_every_status_over_the_wire(hundred: int) -> None:
    """The same with a real server; each is one request, since no redirect is followed."""
    status = hundred

    def answer(_: Request) -> Answer:
        return Reply(status, b"some words", headers={"Location": "/elsewhere", "Retry-After": "90"})

    with HttpServer(answer) as server:
        for status in range(hundred, hundred + 100):
            error = attempt(server.url("/hook"))
            assert (status, word(error)) == (status, expected(status))
            if error is not None:
                assert error.reply.startswith(f"127.0.0.1:{server.port} answered {status} ")
                assert ("some words" in error.reply) == (status != 304)  # the one that never has a body
            if isinstance(error, TransientDeliveryError):
                assert error.retry_after == timedelta(seconds=90)
    assert [request.path for request in server.requests] == 100 * ["/hook"]


def test_redirect() -> None:
    """Redirects are not followed, and where they lead is not shown."""
    with HttpServer(lambda _: Reply.redirect("https://elsewhere.example/secret", 307)) as server:
        error = attempt(server.url("/hook"))
    assert error is not None
    said = "answered 307 Temporary Redirect (redirects are not followed)"
    assert error.reply == f"127.0.0.1:{server.port} {said}"
    assert (word(error), len(server.requests)) == ("retry", 1)
