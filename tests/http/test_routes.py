"""Where a question goes: redirects and proxies."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from domain.examples import cases
from fetching import DIRECT, IMPATIENT, PATIENT, failure, fetch
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.client import get_document
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Request
from simulators.http_server import (
    Answer,
    Handler,
    HttpServer,
    Reply,
    Tunnel,
    hang,
    script,
    unused_port,
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(status: int) -> None:
    """Three redirects of any kind are followed, relative ones too."""
    with HttpServer(lambda _: hang()) as server:
        server.handler = script(
            Reply.redirect("/b", status),
            Reply.redirect("c?d=1", status),
            Reply.redirect(server.url("/e"), status),
            Reply.json("there"),
        )
        assert fetch(server.url("/a")) == "there"
    assert [request.target for request in server.requests] == ["/a", "/b", "/c?d=1", "/e"]


@pytest.mark.usefixtures("trusted_authority")
def test_redirect_from_https_to_http_is_not_followed(server_tls: ssl.SSLContext) -> None:
    """A server cannot have its answer sent unencrypted."""
    with HttpServer(lambda _: Reply.json("plain")) as plain:
        target = Reply.redirect(plain.url())
        with HttpServer(lambda _: target, tls=server_tls) as server:
            error = failure(server.url(host="localhost"), limits=DOCUMENT)
    assert "redirects from https to http, which is not followed" in error.detail
    assert plain.requests == []


@pytest.mark.usefixtures("trusted_authority")
def test_redirect_from_http_to_https_is_followed(server_tls: ssl.SSLContext) -> None:
    """Many servers answer plain requests with nothing else."""
    with HttpServer(lambda _: Reply.json("safe"), tls=server_tls) as server:
        target = Reply.redirect(server.url(host="localhost"))
        with HttpServer(lambda _: target) as plain:
            assert fetch(plain.url()) == "safe"


def test_redirect_into_this_network_is_not_followed() -> None:
    """A server elsewhere has no request made to an address of this machine; one on this machine may."""
    with HttpServer(lambda _: Reply.json("inside")) as inside:
        target = Reply.redirect(inside.url("/delete?all=1"))
        with HttpServer(lambda _: target) as proxy, pytest.raises(CheckError) as caught:
            get_document(Request(url="http://updates.invalid/"), Proxies(http=proxy.url()))
    assert "redirects to an address of this machine or network, which is not followed" in caught.value.detail
    assert inside.requests == []


def test_headers_stay_with_their_host() -> None:
    """`Host`, further headers and the password follow a redirect on the same host, and to no other."""
    with HttpServer(lambda _: Reply.json(1)) as server:
        server.handler = script(Reply.redirect("/b"), Reply.redirect(server.url("/c", host="localhost")), Reply.json(1))
        url = server.url("/a").replace("://", "://ann:secret@")
        get_document(Request(url=url, host="social.example", headers={"X-Own": "1"}), DIRECT)
    seen = [
        (each.headers["host"], "x-own" in each.headers, "authorization" in each.headers) for each in server.requests
    ]
    own = ("social.example", True, True)
    assert seen == [own, own, (f"localhost:{server.port}", False, False)]


@contextmanager
def proxied(handler: Handler) -> Iterator[tuple[HttpServer, Proxies]]:
    """Run a proxy, with the settings that lead there; their password is secret."""
    with HttpServer(handler) as proxy:
        url = proxy.url("").replace("://", "://ann:secret@")
        yield proxy, Proxies(http=url, https=url, no_proxy="direct.example,localhost")


def test_plain_http_goes_through_the_proxy() -> None:
    """The proxy gets the whole URL, and the login that its own URL holds."""
    with proxied(lambda _: Reply.json("from the proxy")) as (proxy, proxies):
        assert fetch("http://updates.invalid/x?y=1", proxies=proxies) == "from the proxy"
    request = proxy.requests[0]
    assert (request.target, request.headers["host"]) == ("http://updates.invalid/x?y=1", "updates.invalid")
    assert request.headers["proxy-authorization"] == "Basic YW5uOnNlY3JldA=="


@pytest.mark.usefixtures("trusted_authority")
def test_https_goes_through_a_tunnel(server_tls: ssl.SSLContext) -> None:
    """The proxy learns the host and the port, and nothing else."""
    with HttpServer(lambda _: Reply.json("safe"), tls=server_tls) as server:
        port = server.port
        with HttpServer(lambda _: Tunnel(port)) as proxy:
            url = server.url("/x?secret=1", host="localhost")
            assert fetch(url, proxies=Proxies(https=proxy.url(""))) == "safe"
    assert [(each.method, each.target) for each in proxy.requests] == [("CONNECT", f"localhost:{port}")]
    assert server.requests[0].target == "/x?secret=1"


@pytest.mark.usefixtures("trusted_authority")
def test_proxy_that_speaks_tls(server_tls: ssl.SSLContext) -> None:
    """An https proxy is trusted by the system's certificates, too."""
    with HttpServer(lambda _: Reply.json(1), tls=server_tls) as proxy:
        proxies = Proxies(http=proxy.url("", host="localhost"))
        assert fetch("http://updates.invalid/", proxies=proxies) == 1


def test_no_proxy_goes_directly() -> None:
    """Hosts of `no_proxy` are asked without the proxy."""
    with (
        proxied(lambda _: Reply(500)) as (proxy, proxies),
        HttpServer(lambda _: Reply.json("direct")) as server,
    ):
        assert fetch(server.url(host="localhost"), proxies=proxies) == "direct"
    assert proxy.requests == []


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is passed counts: the settings have read the environment, by their own rules."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    with HttpServer(lambda _: Reply.json("direct")) as server:
        assert fetch(server.url()) == "direct"


@cases(
    "scheme answer cause fault",
    ("CONNECT refused", "https", Reply(403), Cause.CONNECTION, "cannot be reached: the proxy answers with status 403"),
    ("GET wants a login", "http", Reply(407), Cause.HTTP_STATUS, "answers with status 407"),
    ("silent", "https", hang(), Cause.CONNECTION, "was silent for 0.2 s"),
)
def test_failures_of_the_proxy_name_the_proxy(scheme: str, answer: Answer, cause: Cause, fault: str) -> None:
    """An administrator looks at the right machine, and finds no password in the log."""
    with proxied(lambda _: answer) as (proxy, proxies):
        limits = IMPATIENT if "silent" in fault else PATIENT
        error = failure(f"{scheme}://updates.invalid/", proxies=proxies, limits=limits)
    assert (error.cause, error.detail) == (cause, f"updates.invalid (through the proxy 127.0.0.1:{proxy.port}) {fault}")


def test_proxy_that_cannot_be_used() -> None:
    """A proxy that is gone, has no address or is of another kind is named."""
    gone = f"127.0.0.1:{unused_port()}"
    url = "https://updates.example/"
    cases = {
        f"http://ann:secret@{gone}": (
            Cause.CONNECTION,
            f"updates.example (through the proxy {gone}) cannot be reached: connection refused",
        ),
        "socks5://127.0.0.1:1080": (Cause.CONNECTION, "the proxy to use is not an http or https URL"),
        "http://a:b": (Cause.CONNECTION, "the proxy to use is not an http or https URL"),
    }
    errors = {proxy: failure(url, proxies=Proxies(https=proxy)) for proxy in cases}
    assert cases == {proxy: (error.cause, error.detail) for proxy, error in errors.items()}
    unresolved = failure(url, proxies=Proxies(https="http://proxy.invalid:3128"))
    assert unresolved.cause == Cause.DNS
    expected = "the name of updates.example (through the proxy proxy.invalid:3128) cannot be resolved"
    assert unresolved.detail.startswith(expected)
