"""Pings: what each reports, how each service's URL is written, and servers that do what servers should not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.examples import cases
from fetching import DIRECT
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.client import USER_AGENT
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request
from mastodon_update_check.monitoring.heartbeat import LIMITS, Ping, judge_check, send_ping, write_ping
from simulators.http_server import Answer, HttpServer, Raw, Reply, hang

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECRET = "/ping/s3cret-t0ken"
SHORT = replace(EXCERPT, total=timedelta(milliseconds=300))


def _fail(answer: Answer, limits: Limits) -> CheckError:
    with HttpServer(lambda _: answer) as server, pytest.raises(CheckError) as caught:
        send_ping(Request(method="POST", url=server.url(SECRET), body=b"x"), DIRECT, limits)
    return caught.value


def test_ping_is_sent() -> None:
    """A POST with the sentence as its body; a password in the URL becomes basic authentication."""
    with HttpServer(lambda _: Reply(200, b"OK")) as server:
        url = server.url(SECRET).replace("http://", "http://user:pa%20ss@")
        send_ping(Request(method="POST", url=url, body="grüße".encode()), DIRECT)
        send_ping(Request(url=server.url(SECRET)), DIRECT)
    post, get = server.requests
    assert ("POST", SECRET, "grüße".encode()) == (post.method, post.target, post.body)
    assert (post.headers["user-agent"], post.headers["authorization"]) == (USER_AGENT, "Basic dXNlcjpwYSBzcw==")
    assert (get.method, get.body, "authorization" in get.headers) == ("GET", b"", False)


@cases(
    "answer cause words",
    ("unknown", Reply(404), Cause.HTTP_STATUS, "answers with status 404"),
    ("said politely", Reply(200, b"OK (not found)"), Cause.HTTP_STATUS, "does not know this URL"),
    ("redirect", Reply.redirect("https://elsewhere.example/"), Cause.HTTP_STATUS, "status 302"),
    ("silent", hang(), Cause.CONNECTION, ""),
    ("not HTTP", Raw([b"SSH-2.0-x\r\n"]), Cause.CONNECTION, "ended the connection before a complete answer in HTTP"),
)
def test_ping_that_is_not_taken(answer: Answer, cause: Cause, words: str) -> None:
    """It is an error that names the host and no other part of the URL."""
    error = _fail(answer, SHORT if cause is Cause.CONNECTION else LIMITS)
    assert cause is error.cause
    assert words in error.detail
    assert "127.0.0.1" in error.detail
    assert "s3cret" not in error.detail


@cases("url proxy", ("http://1.2.3.256/t0ken", None), ("http://hc.example/t0ken", "http://[v1.x]:3128"))
def test_url_that_the_library_does_not_take(url: str, proxy: str | None) -> None:
    """It is an error like any other, and shows nothing of the URL."""
    with pytest.raises(CheckError) as caught:
        send_ping(Request(url=url), Proxies(http=proxy))
    assert caught.value.detail.endswith(" is not an http or https URL")
    assert "t0ken" not in caught.value.detail


def test_healthchecks_form() -> None:
    """Success is the URL itself; start and fail are behind its path; what the query says stays."""
    url = "https://hc.example/ping/6c1f"
    ping = write_ping(url, Ping.SUCCESS, "well")
    assert ping is not None
    assert (ping.method, ping.url, ping.body) == ("POST", url, b"well")
    assert [_url(url, event) for event in (Ping.START, Ping.FAIL)] == [f"{url}/start", f"{url}/fail"]
    assert _url("https://hc.example/ping/6c1f/?create=1", Ping.FAIL) == "https://hc.example/ping/6c1f/fail?create=1"


def _url(url: str, event: Ping) -> str:
    ping = write_ping(url, event, "x")
    assert ping is not None
    return ping.url


def test_uptime_kumas_form() -> None:
    """Up and down replace the parameters that were copied with the URL; there is no start event."""
    copied = "https://kuma.example/api/push/t0ken?status=up&msg=OK&ping=&node=1"
    assert None is write_ping(copied, Ping.START, "begins")
    up = write_ping(copied, Ping.SUCCESS, "all is well")
    assert up == Request(url="https://kuma.example/api/push/t0ken?node=1&status=up&msg=all+is+well")
    assert _url(copied, Ping.FAIL) == "https://kuma.example/api/push/t0ken?node=1&status=down&msg=x"


@cases(
    "failure waiting event",
    ("all is well", "", None, Ping.SUCCESS),
    ("the check failed", "status 503", None, Ping.FAIL),
    ("what waits for less than six hours may wait", "", timedelta(hours=5, minutes=59), Ping.SUCCESS),
    ("something has been waiting for six hours", "", timedelta(hours=6), Ping.FAIL),
)
def test_success_needs_check_and_outbox(failure: str, waiting: timedelta | None, event: Ping) -> None:
    """Success is said only if both are healthy; the sentence names what is not."""
    said, sentence = judge_check(failure, None if waiting is None else NOW - waiting, NOW)
    assert event is said
    assert failure in sentence
    assert ("not been delivered since 2026-11-24 06:00 UTC" in sentence) == (waiting == timedelta(hours=6))
