"""Kinds of values that say where something is: hosts, URLs, mail addresses.

As in `kinds`, each function reads one text, or raises ValueError with the end of a sentence that never repeats it.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from mastodon_update_check.config.kinds import parse_text
from mastodon_update_check.domain.addresses import split_address

URL_CHARACTERS = 2000
GITHUB = "https://raw.githubusercontent.com/mastodon/mastodon/v{version}/"
"""Where `UPDATE_CHECK_RELEASE_DETAILS=github` finds the source tree of a release."""
ADDRESS_CHARACTERS = 254
"""Longest mail address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""

_HOST_CHARACTERS = 253
_MAILBOX_CHARACTERS = 500
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")


def parse_domain(text: str) -> str:
    """Read a domain name, which may be an international one; returned in lower case."""
    domain = text.strip().lower()
    if not _is_domain(domain):
        raise ValueError("is not a domain name: one such as social.example is allowed, without scheme, port and path")
    return domain


def parse_host(text: str) -> str:
    """Read a domain name or an IP address; the latter is returned without brackets."""
    host = text.strip().lower()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (_is_ip_address(bare) or _is_domain(host)):
        raise ValueError("is not a host: a domain name or an IP address is allowed, without scheme and port")
    return bare if _is_ip_address(bare) else host


def parse_url(text: str) -> str:
    """Read an http or https URL with a host."""
    url = text.strip()
    if len(url) > URL_CHARACTERS:
        raise ValueError(f"is too long: a URL of at most {URL_CHARACTERS} characters is allowed")
    if not _is_url(url):
        raise ValueError("is not a URL: one that begins with http:// or https:// and a host is allowed, without blanks")
    return url


def parse_release_details(text: str) -> str:
    """Read `off`, `github`, or a URL with `{version}`; return the URL template, or nothing for `off`."""
    template = {"off": "", "github": GITHUB}.get(text.strip().lower(), text.strip())
    if template and "{version}" not in template:
        raise ValueError("is not a source of release details: off, github and a URL with {version} are allowed")
    if template:
        parse_url(template.replace("{version}", "4.5.20"))
    return template


def parse_proxy(text: str) -> str:
    """Read the URL of a proxy; `host:port` means http."""
    proxy = text.strip()
    return parse_url(proxy if "://" in proxy else f"http://{proxy}")


def is_loopback(url: str) -> bool:
    """Whether the host of `url`, a valid one, is this machine by its name."""
    host = urlsplit(url).hostname or ""
    if _is_ip_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def parse_address(text: str) -> str:
    """Read a mail address; its domain may be an international one."""
    address = text.strip()
    if len(address) > ADDRESS_CHARACTERS:
        raise ValueError(f"is too long: a mail address of at most {ADDRESS_CHARACTERS} characters is allowed")
    try:
        _, domain = split_address(address)
    except ValueError:  # which shows it
        domain = ""
    if not _is_domain(domain.lower()):
        raise ValueError("is not a mail address: one such as admin@social.example is allowed, without a name")
    return address


def parse_mailbox(text: str) -> str:
    """Read a mail address, or a name and a mail address in angle brackets: one of ours, for any mail server."""
    mailbox = parse_text(text)
    if len(mailbox) > _MAILBOX_CHARACTERS:
        raise ValueError(f"is too long: at most {_MAILBOX_CHARACTERS} characters are allowed")
    name, opened, rest = mailbox.partition("<")
    if opened and (">" in name or not rest.endswith(">")):
        raise ValueError("is not a mail address: admin@social.example and Name <admin@social.example> are allowed")
    address = parse_address(rest[:-1] if opened else mailbox)
    if not address.partition("@")[0].isascii():
        raise ValueError("is not a mail address for every mail server: before the @ only ASCII is allowed")
    return mailbox


def _is_url(url: str) -> bool:
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # brackets without an IPv6 address, or a port that is no number
        return False
    is_bracketed = "[" in parts.netloc.rpartition("@")[2]
    is_host = _is_ip_address(host) or (not is_bracketed and _is_name_in_url(host))
    return parts.scheme in {"http", "https"} and port != 0 and is_host


def _is_name_in_url(host: str) -> bool:
    """Whether HTTP libraries take it, too: neither 1.2.3.256, nor letters that only look like those of a domain."""
    is_exact = host.isascii() or _in_ascii(host, exactly=True) != ""
    return is_exact and _is_domain(host) and _FOUR_NUMBERS.fullmatch(host) is None


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_domain(domain: str) -> bool:
    if not domain.isascii():
        domain = _in_ascii(domain)
    return len(domain) <= _HOST_CHARACTERS and all(map(_LABEL.fullmatch, domain.split(".")))


def _in_ascii(domain: str, *, exactly: bool = False) -> str:
    """Return the form of an international domain that DNS knows; nothing if it has none, `exactly` as it is written."""
    import idna

    try:
        return idna.encode(domain[:_HOST_CHARACTERS], uts46=not exactly).decode()
    except idna.IDNAError:
        return ""
