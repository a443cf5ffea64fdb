"""Reaching a host by TCP and TLS, without a request."""

import socket
import ssl
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from fetching import DIRECT
from mastodon_update_check.errors import CheckError
from mastodon_update_check.http.client import reach
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits
from simulators.http_server import HttpServer, Reply


@pytest.mark.usefixtures("trusted_authority")
def test_host_is_reached(server_tls: ssl.SSLContext, foreign_tls: ssl.SSLContext) -> None:
    """The certificate is checked, nothing is requested, and the path is not shown."""
    with HttpServer(lambda _: Reply(204), tls=server_tls) as server:
        sentence = reach(server.url("/secret", "localhost"), DIRECT)
    assert sentence == "https://localhost is reached, and its certificate is good"
    assert server.requests == []
    with HttpServer(lambda _: Reply(204), tls=foreign_tls) as server, pytest.raises(CheckError) as caught:
        reach(server.url("/secret", "localhost"), DIRECT)
    assert caught.value.detail.startswith(f"the certificate of localhost:{server.port} is not accepted: Hostname mism")


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (replace(EXCERPT, connect=timedelta(seconds=0.2)), "did not answer in time"),
        (replace(EXCERPT, total=timedelta(seconds=0.2)), "took longer than 0.2 s in all"),
    ],
)
def test_silence(limits: Limits, words: str) -> None:
    """A host that accepts the connection and says nothing ends by a time-out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, pytest.raises(CheckError, match=words):
        reach(f"https://127.0.0.1:{listener.getsockname()[1]}/", DIRECT, limits)


def test_through_a_proxy() -> None:
    """With a proxy, that is reached."""
    with HttpServer(lambda _: Reply(502)) as proxy:
        sentence = reach("https://chat.example/hook", Proxies(http=proxy.url()))
    assert sentence == "the proxy http://127.0.0.1 is reached; the host behind it was not asked"
    assert proxy.requests == []


@pytest.mark.parametrize("url", ["ftp://chat.example/s3cret", "http://a:b/s3cret"])
def test_url_that_cannot_be_used(url: str) -> None:
    """It is an error, and not shown."""
    with pytest.raises(CheckError, match="is not an http or https URL") as caught:
        reach(url, DIRECT)
    assert "s3cret" not in caught.value.detail
