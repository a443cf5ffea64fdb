"""Mail addresses, checked before they reach a header or an SMTP command.

`core.addresses` says what an address is; here domains become A-labels (UTS #46, non-transitional).
"""

import re
from dataclasses import dataclass

from mastodon_update_check.domain.addresses import is_host, split_address
from mastodon_update_check.domain.text import clean

_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One checked address, with a name to show if there is one."""

    local: str
    domain: str
    """A-labels only."""
    name: str = ""

    @property
    def address(self) -> str:
        """The address as SMTP and headers carry it."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can carry it."""
        return not self.local.isascii()


def parse_mailbox(text: str) -> Mailbox:
    """Read `local@domain` or `Name <local@domain>`.

    Raises:
        ValueError: not one address, or one that is not safe to send to.
    """
    match = _NAMED.fullmatch(text.strip())
    if match is None:
        return parse_address(text.strip())
    name = clean(match["name"].strip().removeprefix('"').removesuffix('"').replace('\\"', '"'))
    mailbox = parse_address(match["address"].strip())
    return Mailbox(local=mailbox.local, domain=mailbox.domain, name=name)


def parse_address(text: str) -> Mailbox:
    """Read `local@domain`.

    Raises:
        ValueError: not an address, or one that is not safe to send to.
    """
    local, domain = split_address(text)
    try:
        return Mailbox(local=local, domain=ascii_domain(domain))
    except ValueError as error:
        raise ValueError(f"{clean(text)!r} is not a mail address: {error}") from error


def ascii_domain(domain: str) -> str:
    """Return a host name as A-labels.

    Raises:
        ValueError: not a host name.
    """
    encoded = domain if domain.isascii() else _a_labels(domain)
    if not is_host(encoded):
        raise ValueError(f"{clean(domain)!r} is not a host name")
    return encoded


def _a_labels(domain: str) -> str:
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{clean(domain)!r} is not a host name: {clean(str(error))}") from error
