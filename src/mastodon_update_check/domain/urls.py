"""Hosts and http(s) URLs: the one rule for those that this program takes."""

import ipaddress
import re
from urllib.parse import urlsplit

from mastodon_update_check.domain.text import clean

URL_CHARACTERS = 2000

_HOST_CHARACTERS = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_QUOTING = frozenset("<>\"'`\\^{|}")


def parse_url(text: str) -> str:
    """Return an http or https URL, trimmed; raise `ValueError` with what was expected, for the URL may be a secret."""
    url = text.strip()
    if len(url) > URL_CHARACTERS:
        raise ValueError(f"a URL of at most {URL_CHARACTERS} characters")
    if not _is_url(url):
        raise ValueError("a URL that begins with http:// or https:// and a host, without spaces")
    return url


def parse_proxy(text: str) -> str:
    """Return the URL of a proxy; `host:port` means http. Raises `ValueError` as `parse_url` does."""
    proxy = text.strip()
    return parse_url(proxy if "://" in proxy else f"http://{proxy}")


def is_printable_url(text: str) -> bool:
    """Return whether `text` is an http or https URL that is safe to print: ASCII, without quotes and user names."""
    is_safe = len(text) <= URL_CHARACTERS and text.isascii() and not _QUOTING.intersection(text)
    return is_safe and _is_url(text) and "@" not in urlsplit(text).netloc


def is_ip_address(text: str) -> bool:
    """Return whether `text` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_loopback(url: str) -> bool:
    """Return whether the host of `url`, a valid one, is this machine by its name."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Return whether data that is sent to a host name in lower case, or to an address, never leaves this machine."""
    if is_ip_address(host):
        address = ipaddress.ip_address(host)
        return (getattr(address, "ipv4_mapped", None) or address).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_domain(domain: str) -> bool:
    """Return whether `domain` is a domain name, which may be an international one."""
    try:
        ascii_domain(domain)
    except ValueError:
        return False
    return True


def ascii_domain(domain: str) -> str:
    """Return a domain name as A-labels (UTS #46, non-transitional); raise `ValueError` if it is not one."""
    name = domain if domain.isascii() else _encode(domain)
    if len(name) > _HOST_CHARACTERS or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(f"{clean(domain)!r} is not a host name")
    return name


def _is_url(url: str) -> bool:
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # brackets without an IPv6 address, or a port that is not a number
        return False
    is_bracketed = "[" in parts.netloc.rpartition("@")[2]
    is_host = is_ip_address(host) or (not is_bracketed and _is_name_in_url(host))
    return parts.scheme in {"http", "https"} and port != 0 and is_host


def _is_name_in_url(host: str) -> bool:
    """Return whether HTTP libraries accept it: neither 1.2.3.256, nor letters that only look like those of a domain."""
    try:
        if not host.isascii():
            _encode(host, exactly=True)
    except ValueError:
        return False
    return is_domain(host) and _FOUR_NUMBERS.fullmatch(host) is None


def _encode(domain: str, *, exactly: bool = False) -> str:
    import idna

    try:
        return idna.encode(domain[: _HOST_CHARACTERS + 1], uts46=not exactly).decode()
    except idna.IDNAError as error:
        raise ValueError(f"{clean(domain)!r} is not a host name: {clean(str(error))}") from error
