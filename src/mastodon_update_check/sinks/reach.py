"""Reaching a webhook's receiver without posting anything: TCP, and TLS with the certificate checked."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.http.net import Deadline, tls_context
from mastodon_update_check.sinks.failures import explain
from mastodon_update_check.sinks.webhook import Bounds, choose_proxy, parse_url

_PORTS = {"http": 80, "https": 443}


def reach(options: Mapping[str, str], bounds: Bounds | None = None) -> str:
    """Connect to the receiver, or to the proxy before it, and hang up; return what can be said of it.

    Raises:
        TransientDeliveryError: it cannot be reached, or its certificate is not accepted.
        SettingsError: a URL or a proxy that cannot be used.
    """
    bounds = bounds or Bounds()
    proxy = choose_proxy(options)
    parts = urlsplit(proxy) if proxy else parse_url(options["url"])
    place = f"{'the proxy ' if proxy else ''}{parts.scheme}://{parts.hostname}"
    with Deadline(bounds.total) as deadline:
        try:
            address = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
            with socket.create_connection(address, bounds.connect) as sock:
                deadline.guard(sock)
                sock.settimeout(bounds.read)
                if parts.scheme == "https":
                    tls_context().wrap_socket(sock, server_hostname=parts.hostname).close()
        except (OSError, ValueError) as error:  # ValueError, UnicodeError: a name that cannot be asked for
            raise TransientDeliveryError(f"no connection to {place}: {explain(error)}", sink_wide=True) from error
    if proxy:
        return f"{place} is reached; the receiver behind it was not asked"
    return f"{place} is reached" + (", and its certificate is good" if parts.scheme == "https" else "")
