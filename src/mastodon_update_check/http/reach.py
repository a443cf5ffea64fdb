"""Reaching a host without asking it anything: TCP, and TLS with the certificate checked."""

import socket
from urllib.parse import urlsplit

from mastodon_update_check.domain.urls import parse_proxy, parse_url
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within
from mastodon_update_check.http.tls import tls_context

_PORTS = {"http": 80, "https": 443}


def reach(url: str, proxies: Proxies, limits: Limits = EXCERPT) -> str:
    """Connect to the host of `url`, or to the proxy before it, and disconnect; return a sentence about it.

    Raises:
        CheckError: it cannot be reached, or its certificate is not accepted.
    """
    proxy = proxies.choose(url)
    try:
        parts = urlsplit(parse_proxy(proxy) if proxy else parse_url(url))
    except ValueError:  # which may show it
        raise CheckError(Cause.CONNECTION, "the URL, or its proxy's, is not an http or https URL") from None
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    place, peer = f"{parts.scheme}://{host}", f"{'the proxy ' if proxy else ''}{host}:{port}"

    def connect(guard: SocketGuard) -> None:
        with socket.create_connection((host, port), limits.connect.total_seconds()) as sock:
            guard.guard(sock)
            if parts.scheme == "https":
                tls_context().wrap_socket(sock, server_hostname=host).close()

    try:
        run_within(limits.total, connect)
    except TimeLimitError as error:
        raise CheckError(Cause.CONNECTION, f"{peer} {error}") from error
    except (OSError, ValueError) as error:  # ValueError, UnicodeError: a name that cannot be asked for
        raise explain(error, peer) from error
    if proxy:
        return f"the proxy {place} is reached; the host behind it was not asked"
    return f"{place} is reached" + (", and its certificate is good" if parts.scheme == "https" else "")
