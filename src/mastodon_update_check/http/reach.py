"""Reaching a host without asking it anything: TCP, and TLS with the certificate checked."""

from mastodon_update_check.domain.urls import origin_of, parse_proxy, parse_url
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.connection import connect, encrypt
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within


def reach(url: str, proxies: Proxies, limits: Limits = EXCERPT) -> str:
    """Connect to the host of `url`, or to the proxy before it, and disconnect; return a sentence about it.

    Raises:
        CheckError: it cannot be reached, or its certificate is not accepted.
    """
    try:
        proxy = proxies.choose(parse_url(url))
        hop = origin_of(parse_proxy(proxy) if proxy else parse_url(url))
    except ValueError:  # which may show it
        raise CheckError(Cause.CONNECTION, "the URL, or its proxy's, is not an http or https URL") from None

    def try_to(guard: SocketGuard) -> None:
        with connect(hop.host, hop.port, limits.connect.total_seconds(), guard) as sock:
            if hop.is_encrypted:
                encrypt(sock, hop.host).close()

    try:
        run_within(limits.total, try_to)
    except (OSError, ValueError, TimeLimitError) as error:  # ValueError, UnicodeError: a name that cannot be asked for
        raise explain(error, f"{'the proxy ' if proxy else ''}{hop.place}") from error
    if proxy:
        return f"the proxy {hop.scheme}://{hop.host} is reached; the host behind it was not asked"
    return f"{hop.scheme}://{hop.host} is reached" + (", and its certificate is good" if hop.is_encrypted else "")
