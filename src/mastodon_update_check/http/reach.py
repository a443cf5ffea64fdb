"""Reaching a host without asking it anything: TCP, and TLS with the certificate checked."""

import socket
import ssl
from urllib.parse import urlsplit

from mastodon_update_check.domain.urls import parse_proxy, parse_url
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within


def reach(url: str, proxies: Proxies, limits: Limits = EXCERPT) -> str:
    """Connect to the host of `url`, or to the proxy before it; return a sentence about it, or raise `CheckError`."""
    try:
        proxy = proxies.choose(parse_url(url))
        parts = urlsplit(parse_proxy(proxy) if proxy else url)
    except ValueError:  # which may show it
        raise CheckError(Cause.CONNECTION, "the URL, or its proxy's, is not an http or https URL") from None
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)

    def connect(guard: SocketGuard) -> None:
        with socket.create_connection((host, port), limits.connect.total_seconds()) as sock:
            guard.guard(sock)
            if is_tls:
                ssl.create_default_context().wrap_socket(sock, server_hostname=host).close()

    try:
        run_within(limits.total, connect)
    except (OSError, ValueError, TimeLimitError) as error:  # ValueError, UnicodeError: a name that cannot be asked for
        raise explain(error, f"{'the proxy ' if proxy else ''}{host}:{port}") from error
    if proxy:
        return f"the proxy {parts.scheme}://{host} is reached; the host behind it was not asked"
    return f"{parts.scheme}://{host} is reached" + (", and its certificate is good" if is_tls else "")
