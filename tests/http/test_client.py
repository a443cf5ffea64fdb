"""One bounded GET, against real servers that do what servers should not."""

import json

import pytest

from fetching import DIRECT, failure, failure_of, fetch
from mastodon_update_check.errors import Cause
from mastodon_update_check.http.client import USER_AGENT, get_document
from mastodon_update_check.http.request import Request, StatusError
from simulators.http_server import (
    HttpServer,
    Reply,
    script,
    unused_port,
)

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_request_names_only_this_program() -> None:
    """Exactly the headers that are needed are sent: no cookies, no compression, nothing that names the server."""
    with HttpServer(lambda _: Reply.json(["ä", 1, {"a": None}])) as server:
        assert fetch(server.url("/x?y=1")) == ["ä", 1, {"a": None}]
    assert (server.requests[0].method, server.requests[0].target, server.requests[0].body) == ("GET", "/x?y=1", b"")
    expected = {
        "host": f"127.0.0.1:{server.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
    }
    assert server.requests[0].headers == expected


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
    assert error.detail == f"127.0.0.1:{server.port} answers with status 401"


@pytest.mark.parametrize("status", [201, 204, 304, 400, 403, 404, 429, 500, 503, 999])
def test_only_status_200_counts(status: int) -> None:
    """Every other status is an error that carries it, so that a caller recognises a 404."""
    error = failure_of(Reply(status, b"" if status in {204, 304} else b'{"updatesAvailable": []}'))
    assert isinstance(error, StatusError)
    assert (error.status, error.cause) == (status, Cause.HTTP_STATUS)
    assert error.detail.endswith(f"answers with status {status}")


def test_one_megabyte_is_taken() -> None:
    """The limit itself is allowed, and a byte order mark is accepted."""
    text = b"\xef\xbb\xbf" + json.dumps("x" * (1024 * 1024 - 5)).encode()
    with HttpServer(lambda _: Reply(200, text)) as server:
        assert fetch(server.url()) == "x" * (1024 * 1024 - 5)


def test_refused_connection() -> None:
    """A closed port and a name that does not resolve are reported in the system's words."""
    port = unused_port()
    error = failure(f"http://127.0.0.1:{port}/secret?token=hidden")
    assert (error.cause, error.detail) == (Cause.CONNECTION, f"127.0.0.1:{port} cannot be reached: connection refused")
    error = failure("http://updates.invalid/")  # which is never resolved (RFC 6761)
    assert (error.cause, error.detail[:42]) == (Cause.DNS, "the name of updates.invalid cannot be reso")


@pytest.mark.parametrize("url", ["", "nonsense", "file:///etc/passwd", "http://", "http://a:b/", "http://a:65536/"])
def test_url_that_cannot_be_asked(url: str) -> None:
    """Only http and https with a host are asked at all."""
    assert failure(url).detail == "the URL to ask is not an http or https URL"
