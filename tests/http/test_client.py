"""One bounded GET, against real servers that do what servers should not."""

import gzip
import json
import socket
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from fetching import DIRECT, HURRIED, IMPATIENT, failure, failure_of, fetch
from mastodon_update_check.errors import Cause
from mastodon_update_check.http.client import get_document
from mastodon_update_check.http.exchange import USER_AGENT
from mastodon_update_check.http.request import DOCUMENT, Limits, Request, StatusError
from simulators.http_server import (
    Answer,
    HttpServer,
    Raw,
    Reply,
    dribble,
    endless,
    hang,
    script,
    truncated,
    unused_port,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_document_is_returned() -> None:
    """The answer's JSON comes back as it is, whatever its type."""
    with HttpServer(lambda _: Reply.json(["ä", 1, {"a": None}])) as server:
        assert fetch(server.url("/x?y=1")) == ["ä", 1, {"a": None}]
    assert (server.requests[0].method, server.requests[0].target, server.requests[0].body) == ("GET", "/x?y=1", b"")


def test_request_names_only_this_program() -> None:
    """Exactly the headers that are needed are sent: no cookies, no compression, nothing that names the server."""
    with HttpServer(lambda _: Reply.json({})) as server:
        fetch(server.url())
    expected = {
        "host": f"127.0.0.1:{server.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
    }
    assert expected == server.requests[0].headers


def test_caller_adds_headers_and_host() -> None:
    """An inner address can be asked under the server's own name."""
    with HttpServer(lambda _: Reply.json({})) as server:
        get_document(Request(url=server.url(), host="social.example", headers={"X-Forwarded-Proto": "https"}), DIRECT)
    headers = server.requests[0].headers
    assert (headers["host"], headers["x-forwarded-proto"]) == ("social.example", "https")


def test_password_of_the_url_is_sent_as_basic_authentication() -> None:
    """A user and password in the URL reach the server, decoded, and no error text."""
    with HttpServer(script(Reply.json({}), Reply(401))) as server:
        url = server.url("/?key=hidden").replace("://", "://ann:s%40crets@")
        fetch(url)
        error = failure(url)
    assert server.requests[0].headers["authorization"] == "Basic YW5uOnNAY3JldHM="
    assert f"127.0.0.1:{server.port} answers with status 401" == error.detail


@pytest.mark.parametrize("status", [201, 204, 304, 400, 403, 404, 429, 500, 503, 999])
def test_only_status_200_counts(status: int) -> None:
    """Every other status is an error that carries it, so that a caller can tell a 404."""
    error = failure_of(Reply(status, b"" if status in {204, 304} else b'{"updatesAvailable": []}'))
    assert isinstance(error, StatusError)
    assert (status, Cause.HTTP_STATUS) == (error.status, error.cause)
    assert error.detail.endswith(f"answers with status {status}")


def encoded(encoding: str, body: bytes) -> Reply:
    """Return an answer in a content encoding."""
    return Reply(200, body, {"Content-Encoding": encoding})


CONTENT_FAULTS = [
    ("not JSON at all", Reply(200, b"<!DOCTYPE html><title>Welcome"), "is not valid JSON: it begins with '<!DOCTYPE"),
    ("an empty body", Reply(200), "is not valid JSON"),
    ("JSON cut short", Reply(200, b'{"updatesAvailable": ['), "is not valid JSON"),
    ("two documents", Reply(200, b"{} {}"), "is not valid JSON"),
    ("NaN, which Python would take", Reply(200, b'{"a": NaN}'), "is not valid JSON"),
    ("infinity by overflow", Reply(200, b"[1e999]"), "is not valid JSON"),
    ("a number of 5,000 digits", Reply(200, b"9" * 5_000), "is not valid JSON"),
    ("Latin-1", Reply(200, '{"a": "ä"}'.encode("latin-1")), "it is not UTF-8"),
    ("UTF-16", Reply(200, '{"a": 1}'.encode("utf-16")), "it is not UTF-8"),
    ("100,000 lists in each other", Reply(200, b"[" * 100_000 + b"]" * 100_000), "it is nested too deeply"),
    ("100,000 objects in each other", Reply(200, b'{"a":' * 100_000), "it is nested too deeply"),
    ("gzip, unasked", encoded("gzip", gzip.compress(b"{}")), "is encoded (gzip)"),
    ("an encoding unknown to us", encoded("br, x-odd", b"{}"), "is encoded (br, x-odd)"),
    ("5 MB, announced", Reply(200, b'"' + b"x" * 5_000_000 + b'"'), "is longer than 1,048,576 bytes"),
    ("5 MB, not announced", Raw([HEAD + b"\r\n", b"x" * 5_000_000]), "is longer than 1,048,576 bytes"),
    ("no end", endless(HEAD + b"\r\n", b" " * 65_536), "is longer than 1,048,576 bytes"),
    (
        "no end, in chunks",
        endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"fff\r\n" + b" " * 0xFFF + b"\r\n"),
        "is longer than 1,048,576 bytes",
    ),
]


@pytest.mark.parametrize(
    ("answer", "fault"), [row[1:] for row in CONTENT_FAULTS], ids=[row[0] for row in CONTENT_FAULTS]
)
def test_content_that_is_refused(answer: Answer, fault: str) -> None:
    """Whatever is not one bounded JSON document is refused, and said in a sentence."""
    error = failure_of(answer, limits=DOCUMENT)
    assert error.cause == Cause.CONTENT
    assert fault in error.detail
    assert error.detail.startswith("the answer of 127.0.0.1:")


def test_compression_bomb_costs_nothing() -> None:
    """0.6 MB that would be 600 MB are refused by their header; they are neither unpacked nor read."""
    packer, zeros = gzip.compress(b"\0" * 60_000_000), 10
    bomb = packer * zeros  # ten members, one after the other: still one gzip
    with HttpServer(lambda _: encoded("gzip", bomb)) as server:
        tracemalloc.start()
        error = failure(server.url())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert error.cause == Cause.CONTENT
    assert peak < 10_000_000


def test_one_megabyte_is_taken() -> None:
    """The limit itself is allowed, and a byte order mark is no fault."""
    text = b"\xef\xbb\xbf" + json.dumps("x" * (1024 * 1024 - 5)).encode()
    with HttpServer(lambda _: Reply(200, text)) as server:
        assert fetch(server.url()) == "x" * (1024 * 1024 - 5)


CONNECTION_FAULTS = [
    ("no answer at all", hang(), IMPATIENT, "was silent for 0.2 s"),
    ("silence after the head", Raw([HEAD + b"\r\n", b"{", 60.0]), IMPATIENT, "was silent for 0.2 s"),
    ("a head, byte by byte", dribble(HEAD * 99), HURRIED, "took longer than 0.2 s in all"),
    ("a body, byte by byte", Raw([HEAD + b"\r\n", *dribble(b" " * 999).parts]), HURRIED, "took longer than 0.2 s"),
    ("goes at once", Raw([]), IMPATIENT, "ended the connection before it answered"),
    ("goes in the head", Raw([b"HTTP/1.1 200 OK\r\nContent-"]), IMPATIENT, "ended the connection before it answered"),
    ("goes in the body", truncated(Reply.json({"a": 1}), 3), IMPATIENT, "in the middle of its answer"),
    ("not HTTP", Raw([b"220 mail.example ESMTP\r\n"]), IMPATIENT, "does not speak HTTP"),
    ("a head of 1 MB", Raw([HEAD, b"X-Long: " + b"x" * 1_000_000]), IMPATIENT, "before it answered"),
]


@pytest.mark.parametrize(
    ("answer", "limits", "fault"), [row[1:] for row in CONNECTION_FAULTS], ids=[row[0] for row in CONNECTION_FAULTS]
)
def test_connections_that_fail(answer: Answer, limits: Limits, fault: str) -> None:
    """Whoever is slow, silent or gone is given up, each piece and the whole being bounded."""
    error = failure_of(answer, limits=limits)
    assert error.cause == Cause.CONNECTION
    assert fault in error.detail
    assert error.detail.startswith("127.0.0.1:")


def test_reset_before_the_answer() -> None:
    """A connection that is cut hard is said in the system's words."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor() as threads:
        threads.submit(reset, listener)
        error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    assert error.cause == Cause.CONNECTION
    assert error.detail.endswith("ended the connection before it answered: connection reset by peer")


def reset(listener: socket.socket) -> None:
    """Take one request and answer with a reset."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(65_536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_refused_connection() -> None:
    """A closed port is said in the system's words."""
    port = unused_port()
    error = failure(f"http://127.0.0.1:{port}/secret?token=hidden")
    assert (Cause.CONNECTION, f"127.0.0.1:{port} cannot be reached: connection refused") == (error.cause, error.detail)


def test_name_that_does_not_resolve() -> None:
    """`.invalid` is never resolved (RFC 6761)."""
    error = failure("http://updates.invalid/")
    assert error.cause == Cause.DNS
    assert error.detail.startswith("the name of updates.invalid cannot be resolved: ")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://host/",
        "file:///etc/passwd",
        "http://",
        "http://a:b/",
        "http://a:65536/",
        f"http://{'a' * 70}.example/",
    ],
)
def test_url_that_cannot_be_asked(url: str) -> None:
    """Only http and https with a host are asked at all."""
    assert failure(url).detail == "the URL to ask is not an http or https URL"
