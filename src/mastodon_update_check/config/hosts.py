"""Kinds of values that say where something is: hosts, URLs, mail addresses.

As in `kinds`, each function reads one text, or raises `UnexpectedValueError`.
"""

import ipaddress
from urllib.parse import urlsplit

from mastodon_update_check.config.found import UnexpectedValueError
from mastodon_update_check.config.kinds import parse_text
from mastodon_update_check.domain import addresses
from mastodon_update_check.domain.urls import is_domain, is_ip_address, parse_url

GITHUB = "https://raw.githubusercontent.com/mastodon/mastodon/v{version}/"
"""Where `UPDATE_CHECK_RELEASE_DETAILS=github` finds the source tree of a release."""
ADDRESS_CHARACTERS = 254
"""Longest mail address (RFC 5321, 4.5.3.1.3, less the angle brackets)."""

_MAILBOX_CHARACTERS = 500


def parse_domain(text: str) -> str:
    """Read a domain name, which may be an international one; returned in lower case."""
    domain = text.strip().lower()
    if not is_domain(domain):
        raise UnexpectedValueError("a domain name such as social.example, without scheme, port and path")
    return domain


def parse_host(text: str) -> str:
    """Read a domain name or an IP address; the latter is returned without brackets."""
    host = text.strip().lower()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (is_ip_address(bare) or is_domain(host)):
        raise UnexpectedValueError("a domain name or an IP address, without scheme and port")
    return bare if is_ip_address(bare) else host


def parse_release_details(text: str) -> str:
    """Read `off`, `github`, or a URL with `{version}`; return the URL template, or nothing for `off`."""
    template = {"off": "", "github": GITHUB}.get(text.strip().lower(), text.strip())
    if template and "{version}" not in template:
        raise UnexpectedValueError("off, github or a URL with {version}")
    if template:
        parse_url(template.replace("{version}", "4.5.20"))
    return template


def is_loopback(url: str) -> bool:
    """Whether the host of `url`, a valid one, is this machine by its name."""
    return is_loopback_host(urlsplit(url).hostname or "")


def is_loopback_host(host: str) -> bool:
    """Whether a host name in lower case, or an address, is this machine."""
    if is_ip_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def parse_address(text: str) -> str:
    """Read a mail address; its domain may be an international one."""
    address = text.strip()
    if len(address) > ADDRESS_CHARACTERS:
        raise UnexpectedValueError(f"a mail address of at most {ADDRESS_CHARACTERS} characters")
    try:
        addresses.parse_address(address)
    except ValueError:
        raise UnexpectedValueError("a mail address such as admin@social.example, without a name") from None
    return address


def parse_mailbox(text: str) -> str:
    """Read a mail address, or a name and a mail address in angle brackets: one of ours, for any mail server."""
    mailbox = parse_text(text)
    if len(mailbox) > _MAILBOX_CHARACTERS:
        raise UnexpectedValueError(f"at most {_MAILBOX_CHARACTERS} characters")
    name, opened, rest = mailbox.partition("<")
    if opened and (">" in name or not rest.endswith(">")):
        raise UnexpectedValueError("a mail address: admin@social.example or Name <admin@social.example>")
    address = parse_address(rest[:-1] if opened else mailbox)
    if not address.partition("@")[0].isascii():
        raise UnexpectedValueError("a mail address with only ASCII before the @")
    return mailbox
