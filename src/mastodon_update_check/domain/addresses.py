"""Mail addresses: which can be sent to at all, and which are the same.

Only what RFC 5322 calls a dot-atom is taken as a local part (dots may stand anywhere: such mailboxes exist), and only a
host name as a domain: no quotes, comments, brackets or blanks, so that an address can end neither its header nor its
command. Non-ASCII local parts are those of RFC 6531.
"""

import re
import unicodedata

from mastodon_update_check.domain.text import clean

ADDRESS_CHARACTERS = 320
"""Longest address that is taken: 64 of local part, `@`, 255 of domain (RFC 5321, 4.5.3.1)."""

_ATOM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~.")
_HOST = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")
_A_LABEL = "xn--"


def split_address(text: str) -> tuple[str, str]:
    """Return local part and domain; whether a domain with other letters has A-labels is not asked here.

    Raises:
        ValueError: not an address, or one that is not safe to send to.
    """
    local, _, domain = text.rpartition("@")
    if not local or len(text) > ADDRESS_CHARACTERS or not all(map(_is_atom, local)) or not _may_be_host(domain):
        raise ValueError(f"{clean(text)!r} is not a mail address")
    return local, domain


def is_host(domain: str) -> bool:
    """Whether an ASCII text is a host name."""
    return _HOST.fullmatch(domain) is not None


def normalise_address(address: str) -> str:
    """Return the form in which addresses are compared: trimmed, in lower case, the domain in its own letters."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}{'.'.join(map(_own_letters, domain.split('.'))) if _is_other(domain) else domain}"


def _is_other(domain: str) -> bool:
    return _A_LABEL in domain or not domain.isascii()


def _own_letters(label: str) -> str:
    """Return a label in its own letters; what an A-label stands for (RFC 3492), if it is one."""
    if not label.startswith(_A_LABEL):
        return unicodedata.normalize("NFC", label)
    try:
        letters = label.removeprefix(_A_LABEL).encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    is_one = letters == unicodedata.normalize("NFC", letters).lower() and letters.isprintable()
    return letters if is_one and not letters.isascii() else label


def _may_be_host(domain: str) -> bool:
    return is_host(domain) if domain.isascii() else all(map(_is_atom, domain)) and all(domain.split("."))


def _is_atom(char: str) -> bool:
    # Categories C and Z: control and formatting characters, surrogates, unassigned code points, blanks.
    return char in _ATOM if char.isascii() else unicodedata.category(char)[0] not in "CZ"
