"""Every status a receiver can answer with, whatever it asks for with `Retry-After`, as one table.

====== =========================================================================================
ok     accepted
retry  put off, and with it everything else for this webhook, for as long as it asks, up to 24 h
never  refused for good, this message alone
gone   refused for good, and nothing else is posted until the URL changes
====== =========================================================================================
"""

import ssl
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.standard_webhooks import judge
from mastodon_update_check.sinks.webhook import Bounds, create
from simulators.http_server import Answer, HttpServer, Raw, Reply, Request
from simulators.smtp_server import Hang, ScriptedSmtpServer
from sinks.examples import MESSAGE

# Statuses from and to, and what each means; the first row that fits holds.
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
500-599  retry
"""
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOTHING, DAY = timedelta(), timedelta(hours=24)
# A form of `Retry-After`, and the wait that it asks for; None for nothing that could be understood.
FORMS: dict[str, tuple[str, timedelta | None]] = {
    "none": ("", None),
    "zero": ("0", NOTHING),
    "seconds": ("90", timedelta(seconds=90)),
    "years of seconds": ("315360000", DAY),
    "an endless number": ("9" * 4_000, None),
    "negative": ("-1", None),
    "a fraction": ("1.5", None),
    "a date": ("Mon, 23 Nov 2026 12:01:30 GMT", timedelta(seconds=90)),
    "a date of RFC 850": ("Monday, 23-Nov-26 12:01:30 GMT", timedelta(seconds=90)),
    "a date of asctime": ("Mon Nov 23 12:01:30 2026", timedelta(seconds=90)),
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
    """Return the word of the table for what came of an attempt."""
    if error is None:
        return "ok"
    if isinstance(error, PermanentDeliveryError):
        return "gone" if error.sink_wide else "never"
    return "retry" if error.sink_wide else "retry, this message alone"


@pytest.mark.parametrize("form", FORMS)
def test_every_status_with_every_form(form: str) -> None:
    """What the table says; only what is tried again is tried when it is asked to be."""
    text, wait = FORMS[form]
    for status in range(100, 600):
        error = judge(status, httpx.Headers([(b"Retry-After", text.encode())] if text else []), "a sentence", NOON)
        assert (status, expected(status)) == (status, word(error))
        if isinstance(error, TransientDeliveryError):
            assert (status, wait) == (status, error.retry_after)


def post(answer: Answer, bounds: Bounds | None = None) -> DeliveryError | None:
    """Post one message to a server with this answer."""
    with HttpServer(lambda _: answer) as server:
        return attempt(server.url("/hook", "localhost"), bounds)


def attempt(url: str, bounds: Bounds | None = None) -> DeliveryError | None:
    """Post one message; what is wrong is said on one line, without the URL's path."""
    error = None
    try:
        create({"url": url}, bounds, NOON.timestamp).send(MESSAGE)
    except DeliveryError as failure:
        error = failure
    assert error is None or (error.reply.isprintable() and "/hook" not in error.reply)
    return error


@pytest.mark.parametrize("hundred", [200, 300, 400, 500])
def test_every_status_over_the_wire(hundred: int) -> None:
    """The same, with a real server; each is one request, since nothing is followed."""
    status = hundred

    def answer(_: Request) -> Answer:
        return Reply(status, headers={"Location": "/elsewhere", "Retry-After": "90"})

    with HttpServer(answer) as server:
        for status in range(hundred, hundred + 100):
            error = attempt(server.url("/hook"))
            assert (status, expected(status)) == (status, word(error))
            if isinstance(error, TransientDeliveryError):
                assert timedelta(seconds=90) == error.retry_after
    assert 100 * ["/hook"] == [request.path for request in server.requests]


INTERIM = [
    ("100, then 200", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "ok"),
    ("102 and 103, then 204", b"HTTP/1.1 102 x\r\n\r\nHTTP/1.1 103 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n", "ok"),
    ("103, then 410", b"HTTP/1.1 103 x\r\n\r\nHTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "gone"),
    ("100 alone", b"HTTP/1.1 100 Continue\r\n\r\n", "retry"),
    ("101 alone", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "retry"),
    ("status 0", b"HTTP/1.1 000 x\r\n\r\n", "retry"),
    ("status 99", b"HTTP/1.1 99 x\r\n\r\n", "retry"),
    ("HTTP/0.9", b"ok\n", "retry"),
    ("HTTP/2 unasked", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "retry"),
]


@pytest.mark.parametrize(("sentence", "data", "outcome"), INTERIM, ids=[row[0] for row in INTERIM])
def test_interim_and_odd_answers(sentence: str, data: bytes, outcome: str) -> None:
    """An interim answer decides nothing; what is no final answer is tried again."""
    del sentence

    assert outcome == word(post(Raw([data])))


def test_many_interim_answers() -> None:
    """A server that never comes to the point is given up when time is up."""
    endless = Raw(iter(lambda: b"HTTP/1.1 102 Processing\r\n\r\n", None))
    error = post(endless, Bounds(connect=2, read=2, total=timedelta(seconds=0.5)))

    assert error is not None
    assert ("retry", "not done within 0.5 s in all") == (word(error), error.reply.partition(": ")[2])


def test_retry_after_twice() -> None:
    """Two answers to one question are none."""
    error = post(Raw([b"HTTP/1.1 503 x\r\nRetry-After: 90\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"]))

    assert isinstance(error, TransientDeliveryError)
    assert error.retry_after is None


CERTIFICATES = [("expired", -9, -1, "expired"), ("not valid yet", 1, 9, "not yet valid")]


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(("sentence", "begins", "ends", "why"), CERTIFICATES, ids=[row[0] for row in CERTIFICATES])
def test_certificates_out_of_their_time(authority: trustme.CA, sentence: str, begins: int, ends: int, why: str) -> None:
    """Nothing is posted to whoever shows one; it may be renewed, so it is tried again."""
    del sentence
    now = datetime.now(UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(
        "localhost", not_before=now + timedelta(days=begins), not_after=now + timedelta(days=ends)
    ).configure_cert(context)
    with HttpServer(lambda _: Reply(), tls=context) as server:
        error = attempt(server.url("/hook", "localhost"))

    assert error is not None
    assert "retry" == word(error)
    assert why in error.reply
    assert [] == server.requests


def test_a_handshake_that_never_comes() -> None:
    """Whoever takes the connection and is silent is given up."""
    with ScriptedSmtpServer({"CONNECT": [Hang()]}) as server:
        error = attempt(f"https://localhost:{server.port}/hook", Bounds(connect=0.2, read=0.2))

    assert error is not None
    assert ("retry", "it took too long") == (word(error), error.reply.partition(": ")[2])
