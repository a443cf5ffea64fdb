"""A hostile update server: slow, endless, huge, leading elsewhere; a check fails within its bounds."""

import gzip
import socket
import struct
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from fetching import HURRIED, IMPATIENT, PATIENT, failure, failure_of
from mastodon_update_check.errors import Cause
from mastodon_update_check.http.request import DOCUMENT, Limits
from simulators.http_server import Answer, HttpServer, Raw, Reply, dribble, endless, hang, truncated

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def encoded(encoding: str, body: bytes) -> Reply:
    """Return an answer in a content encoding."""
    return Reply(200, body, {"Content-Encoding": encoding})


CONTENT_FAULTS = [
    ("not JSON at all", Reply(200, b"<!DOCTYPE html><title>Welcome"), "is not usable JSON: it begins with '<!DOCTYPE"),
    ("an empty body", Reply(200), "is not usable JSON"),
    ("JSON cut short", Reply(200, b'{"updatesAvailable": ['), "is not usable JSON"),
    ("two documents", Reply(200, b"{} {}"), "is not usable JSON"),
    ("a number of 5,000 digits", Reply(200, b"9" * 5_000), "is not usable JSON"),
    ("Latin-1", Reply(200, '{"a": "ä"}'.encode("latin-1")), "is not usable JSON"),
    ("UTF-16", Reply(200, '{"a": 1}'.encode("utf-16")), "is not usable JSON"),
    ("100,000 lists in each other", Reply(200, b"[" * 100_000 + b"]" * 100_000), "is not usable JSON"),
    ("100,000 objects in each other", Reply(200, b'{"a":' * 100_000), "is not usable JSON"),
    ("gzip, unasked", encoded("gzip", gzip.compress(b"{}")), "is encoded (gzip)"),
    ("an encoding with control characters", encoded("br,\x1b[31m x", b"{}"), "is encoded (br, [31m x)"),
    ("5 MB, announced", Reply(200, b'"' + b"x" * 5_000_000 + b'"'), "is longer than 1,048,576 bytes"),
    ("5 MB, not announced", Raw([HEAD + b"\r\n", b"x" * 5_000_000]), "is longer than 1,048,576 bytes"),
    ("no end", endless(HEAD + b"\r\n", b" " * 65_536), "is longer than 1,048,576 bytes"),
    ("no end, in chunks", endless(CHUNKED, b"fff\r\n" + b" " * 0xFFF + b"\r\n"), "is longer than 1,048,576 bytes"),
]


@pytest.mark.parametrize(
    ("answer", "fault"), [row[1:] for row in CONTENT_FAULTS], ids=[row[0] for row in CONTENT_FAULTS]
)
def test_content_that_is_refused(answer: Answer, fault: str) -> None:
    """Only one bounded JSON document is taken."""
    error = failure_of(answer, limits=DOCUMENT)
    assert error.cause == Cause.CONTENT
    assert fault in error.detail
    assert error.detail.startswith("the answer of 127.0.0.1:")
    assert error.detail.isprintable()


INCOMPLETE = "ended the connection before a complete answer in HTTP"
CONNECTION_FAULTS = [
    ("no answer at all", hang(), IMPATIENT, "was silent for 0.2 s"),
    ("silence after the head", Raw([HEAD + b"\r\n", b"{", 60.0]), IMPATIENT, "was silent for 0.2 s"),
    ("2 TB announced, 2 bytes sent", Reply(200, b"{}", {"Content-Length": "2000000000000"}), IMPATIENT, INCOMPLETE),
    ("a head, byte by byte", dribble(HEAD * 99), HURRIED, "took longer than 0.2 s in all"),
    ("a body, byte by byte", Raw([HEAD + b"\r\n", *dribble(b" " * 999).parts]), HURRIED, "took longer than 0.2 s"),
    ("a chunk, byte by byte", Raw([CHUNKED, *dribble(b"1\r\n \r\n" * 99).parts]), HURRIED, "took longer than 0.2 s"),
    ("interim answers", Raw(iter(lambda: b"HTTP/1.1 103 x\r\n\r\n", None)), HURRIED, "took longer than 0.2 s"),
    ("goes at once", Raw([]), PATIENT, INCOMPLETE),
    ("goes in the head", Raw([b"HTTP/1.1 200 OK\r\nContent-"]), PATIENT, INCOMPLETE),
    ("goes in the body", truncated(Reply.json({"a": 1}), 3), PATIENT, INCOMPLETE),
    ("not HTTP", Raw([b"220 mail.example ESMTP\r\n"]), PATIENT, INCOMPLETE),
    ("a header of 1 MB", Raw([HEAD, b"X-Long: " + b"x" * 1_000_000]), PATIENT, INCOMPLETE),
    ("headers without end", endless(HEAD, b"X-Flood: 1\r\n"), PATIENT, INCOMPLETE),
    ("a length that is not a number", Raw([HEAD, b"Content-Length: x\r\n\r\n{}"]), PATIENT, INCOMPLETE),
    ("two lengths", Raw([HEAD, b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"]), PATIENT, INCOMPLETE),
    ("a chunk of a negative size", Raw([CHUNKED, b"-1\r\n{}\r\n"]), PATIENT, INCOMPLETE),
]


@pytest.mark.parametrize(
    ("answer", "limits", "fault"), [row[1:] for row in CONNECTION_FAULTS], ids=[row[0] for row in CONNECTION_FAULTS]
)
def test_connections_that_fail(answer: Answer, limits: Limits, fault: str) -> None:
    """A server that is slow, silent or gone is given up; each piece and the whole are bounded."""
    began = time.monotonic()
    error = failure_of(answer, limits=limits)
    assert error.cause == Cause.CONNECTION
    assert fault in error.detail
    assert error.detail.startswith("127.0.0.1:")
    assert time.monotonic() - began < 25


def test_compression_bomb_costs_nothing() -> None:
    """0.6 MB that would be 600 MB are refused by their header; they are neither unpacked nor read."""
    bomb = 10 * gzip.compress(b"\0" * 60_000_000)  # ten members, one after the other: still one gzip
    with HttpServer(lambda _: encoded("gzip", bomb)) as server:
        tracemalloc.start()
        error = failure(server.url())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.cause == Cause.CONTENT
    assert peak < 10_000_000


def test_reset_before_the_answer() -> None:
    """A connection that is cut hard is described in the system's words."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as threads:
        threads.submit(reset, listener)
        error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert error.cause == Cause.CONNECTION
    assert error.detail.endswith(INCOMPLETE)


def reset(listener: socket.socket) -> None:
    """Take one request and answer with a reset."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "location",
    [
        "",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:25/x",
        "http://a:b/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1/" + "x" * 2000,
        "http://1.2.3.256/",
    ],
)
def test_redirects_that_are_not_followed(location: str) -> None:
    """A redirect leads to http or https, or nowhere."""
    error = failure_of(Reply.redirect(location))
    assert error.cause == Cause.HTTP_STATUS
    assert error.detail.endswith("redirects to what is not an http or https URL")


def test_redirect_loop_ends() -> None:
    """The fourth redirect is one too many."""
    with HttpServer(lambda _: Reply.redirect("/again")) as server:
        error = failure(server.url())
    assert error.detail == f"127.0.0.1:{server.port} redirects once more after 3 redirects"
    assert len(server.requests) == 4


def test_limit_spans_redirects() -> None:
    """A chain of slow redirects is bounded as a whole, not one by one."""
    with HttpServer(lambda _: Raw([0.15, Reply.redirect("/again").encode()])) as server:
        error = failure(server.url(), limits=HURRIED)
    assert "took longer than 0.2 s in all" in error.detail


def test_body_of_a_refusal_that_never_comes() -> None:
    """The status counts, and the page is waited for no longer than one read may take."""
    began = time.monotonic()
    error = failure_of(Raw([b"HTTP/1.1 503 x\r\n\r\n", 60.0]), limits=IMPATIENT)
    assert time.monotonic() - began < 25  # the conversation may take 30 s
    assert error.detail.endswith(" answers with status 503")
