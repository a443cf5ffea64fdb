"""Hosts and http(s) URLs: the one rule for those that this program takes."""

import ipaddress
import re
from urllib.parse import urlsplit

URL_CHARACTERS = 2000

_HOST_CHARACTERS = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")


def parse_url(text: str) -> str:
    """Return an http or https URL without the whitespace around it.

    Raises:
        ValueError: it is not one; the text is what was expected, since a URL may be a secret.
    """
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


def is_ip_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_domain(domain: str) -> bool:
    """Whether `domain` is a domain name, which may be an international one."""
    if not domain.isascii():
        domain = _in_ascii(domain)
    return len(domain) <= _HOST_CHARACTERS and all(map(_LABEL.fullmatch, domain.split(".")))


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
    """Whether HTTP libraries take it too: neither 1.2.3.256, nor letters that only look like those of a domain."""
    is_exact = host.isascii() or _in_ascii(host, exactly=True) != ""
    return is_exact and is_domain(host) and _FOUR_NUMBERS.fullmatch(host) is None


def _in_ascii(domain: str, *, exactly: bool = False) -> str:
    """Return the form of an international domain that DNS knows; empty if it has none, `exactly` as it is written."""
    import idna

    try:
        return idna.encode(domain[:_HOST_CHARACTERS], uts46=not exactly).decode()
    except idna.IDNAError:
        return ""
