"""Proxies as Mastodon means them: `http_proxy` serves https too, and `no_proxy` may name networks."""

import ipaddress
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """The values of `https_proxy`, `http_proxy` and `no_proxy`."""

    https: str | None = field(default=None, repr=False)
    http: str | None = field(default=None, repr=False)
    no_proxy: str = ""

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self:
        """Return the proxies among the options of a sink."""
        return cls(
            https=options.get("https_proxy"), http=options.get("http_proxy"), no_proxy=options.get("no_proxy", "")
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables for other programs, in which `http_proxy` serves http alone."""
        variables = {"https_proxy": self.https or self.http, "http_proxy": self.http, "no_proxy": self.no_proxy}
        return {name: value for name, value in variables.items() if value}

    def choose(self, url: str) -> str | None:
        """Return the URL of the proxy for `url`, or None for a direct connection."""
        parts = urlsplit(url)
        proxy = (self.https or self.http) if parts.scheme == "https" else self.http
        if proxy is None or parts.hostname is None:
            return None
        if self._bypasses(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"

    def _bypasses(self, host: str, port: int) -> bool:
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed leaves it out

        if proxy_bypass_environment(f"{host}:{port}", {"no": self.no_proxy}):
            return True
        for entry in self.no_proxy.split(","):
            with suppress(ValueError):  # a name
                network = ipaddress.ip_network(entry.strip().replace("[", "").replace("]", ""), strict=False)
                if ipaddress.ip_address(host) in network:
                    return True
        return False


def is_local(host: str) -> bool:
    """Return whether `host` is on this machine or network: each of its addresses is loopback, private or link-local."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(not ipaddress.ip_address(str(each[4][0]).partition("%")[0]).is_global for each in found)
