"""Mail addresses, checked before they reach a header or an SMTP command.

Only what RFC 5322 calls a dot-atom is taken as a local part (dots may stand anywhere: such mailboxes exist), and only a
host name as a domain: no quotes, comments, brackets or blanks, so that an address can end neither its header nor its
command. Non-ASCII local parts are those of RFC 6531; domains become A-labels (UTS #46, non-transitional).
"""

import re
import unicodedata
from dataclasses import dataclass

from mastodon_update_check.core.text import clean

ADDRESS_CHARACTERS = 320
"""Longest address that is taken: 64 of local part, 255 of domain (RFC 5321, 4.5.3.1)."""

_ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.")
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
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
    local, _, domain = text.rpartition("@")
    if not local or len(text) > ADDRESS_CHARACTERS or not all(_is_atom(char) for char in local):
        raise ValueError(f"{clean(text)!r} is not a mail address")
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
    if _HOST.fullmatch(encoded) is None:
        raise ValueError(f"{clean(domain)!r} is not a host name")
    return encoded


def _a_labels(domain: str) -> str:
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"{clean(domain)!r} is not a host name: {clean(str(error))}") from error


def _is_atom(char: str) -> bool:
    # Categories C and Z: control and formatting characters, surrogates, unassigned code points, blanks.
    return char in _ATOM if char.isascii() else unicodedata.category(char)[0] not in "CZ"
