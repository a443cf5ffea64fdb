"""Mail addresses: which ones mail can be sent to, and which ones are the same.

The local part is a dot-atom of RFC 5322 or RFC 6531 (with dots anywhere: such mailboxes exist), the domain a host name.
Quotes, comments, brackets and whitespace are refused, so an address can end neither its header nor its command.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import ascii_domain

ADDRESS_CHARACTERS = 320
"""Longest address: 64 of local part, `@`, 255 of domain (RFC 5321, 4.5.3.1)."""

_ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.")
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A valid address, and the name in front of it."""

    local: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        """The address as SMTP and headers carry it."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """Return whether only a server with SMTPUTF8 (RFC 6531) can carry it."""
        return not self.local.isascii()


def parse_mailbox(text: str) -> Mailbox:
    """Parse `local@domain` or `Name <local@domain>`; raise `ValueError` for anything but one safe address."""
    match = _NAMED.fullmatch(text.strip())
    if match is None:
        return parse_address(text.strip())
    name = clean(match["name"].strip().removeprefix('"').removesuffix('"').replace('\\"', '"'))
    mailbox = parse_address(match["address"].strip())
    return Mailbox(local=mailbox.local, domain=mailbox.domain, name=name)


def parse_address(text: str) -> Mailbox:
    """Parse `local@domain`; raise `ValueError` if it is not an address, or not a safe one."""
    local, _, domain = text.rpartition("@")
    if not local or len(text) > ADDRESS_CHARACTERS or not all(map(_is_atom, local)):
        raise ValueError(f"{clean(text)!r} is not a mail address")
    try:
        return Mailbox(local=local, domain=ascii_domain(domain))
    except ValueError as error:
        raise ValueError(f"{clean(text)!r} is not a mail address: {error}") from error


def normalise_address(address: str) -> str:
    """Return the form in which addresses are compared: trimmed, in lower case, the domain as A-labels."""
    local, at, domain = address.strip().lower().rpartition("@")
    with suppress(ValueError):
        domain = ascii_domain(unicodedata.normalize("NFC", domain))
    return f"{local}{at}{domain}"


def _is_atom(char: str) -> bool:
    # Categories C and Z: control and formatting characters, surrogates, unassigned code points, whitespace.
    return char in _ATOM if char.isascii() else unicodedata.category(char)[0] not in "CZ"
