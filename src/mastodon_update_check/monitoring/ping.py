"""One ping to a monitoring service, bounded like every conversation; its URL is a secret, all but the host."""

import ssl
from contextlib import closing
from datetime import timedelta

import httpx

from mastodon_update_check.domain.heartbeats import Ping
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.net import CONNECT_SECONDS, USER_AGENT, Deadline, Proxies, tls_context
from mastodon_update_check.http.network_errors import Peer, explain

TOTAL = timedelta(seconds=10)
"""How long a ping may take in all: a check waits for it."""
_ANSWER_BYTES = 200
_UNKNOWN = b"not found"
"""Healthchecks answers 200 and `OK (not found)` when no check has this URL."""


def send_ping(ping: Ping, proxies: Proxies, *, total: timedelta = TOTAL) -> None:
    """Send `ping`.

    Raises:
        CheckError: it was not taken; names the host and no other part of the URL.
    """
    proxy = proxies.choose(ping.url)
    try:
        url = httpx.URL(ping.url)
        peer = Peer(host=_host(ping.url), proxy=_host(proxy) if proxy else None)
    except httpx.InvalidURL:  # which shows it
        raise CheckError(Cause.CONNECTION, "its URL, or its proxy's, is not one that can be asked") from None
    seconds = min(CONNECT_SECONDS, total.total_seconds())
    timeouts = {"connect": seconds, "read": total.total_seconds(), "write": seconds, "pool": seconds}
    with Deadline(total) as deadline:
        try:
            request = _request(ping, timeouts, deadline)
            # The transport, not a client: clients log each URL.
            with _transport(url, proxy) as transport, closing(transport.handle_request(request)) as response:
                peer.has_answered = True
                body = b"".join(_beginning(response))
        except (httpx.HTTPError, UnicodeError) as error:
            if deadline.expired:
                raise CheckError(
                    Cause.CONNECTION, f"{peer} took longer than {total.total_seconds():g} s in all"
                ) from error
            raise explain(error, peer, timeouts) from error
    _judge(response, body, peer)


def _host(url: str) -> str:
    return httpx.URL(url).netloc.decode()


def _request(ping: Ping, timeouts: dict[str, float], deadline: Deadline) -> httpx.Request:
    url = httpx.URL(ping.url)
    request = httpx.Request(
        ping.method,
        url.copy_with(userinfo=b""),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Content-Type": "text/plain; charset=utf-8"},
        content=ping.text.encode() if ping.method == "POST" else None,
        extensions={"timeout": timeouts, "trace": deadline.trace},
    )
    return next(httpx.BasicAuth(url.username, url.password).auth_flow(request)) if url.userinfo else request


def _transport(url: httpx.URL, proxy: str | None) -> httpx.HTTPTransport:
    # A plain hop needs no certificates: a context that trusts nobody costs nothing and allows nothing.
    verify = tls_context() if url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.HTTPTransport(verify=verify, proxy=httpx.Proxy(proxy) if proxy else None, trust_env=False)


def _beginning(response: httpx.Response) -> list[bytes]:
    found, size = [], 0
    for chunk in response.iter_raw():
        found.append(chunk)
        size += len(chunk)
        if size >= _ANSWER_BYTES:
            break
    return found


def _judge(response: httpx.Response, body: bytes, peer: Peer) -> None:
    if not response.is_success:
        raise CheckError(Cause.HTTP_STATUS, f"{peer.described} answers with status {response.status_code}")
    if _UNKNOWN in body[:_ANSWER_BYTES]:
        raise CheckError(Cause.HTTP_STATUS, f"{peer.described} does not know this URL")
