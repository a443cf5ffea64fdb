"""The kinds of values: each function reads one text, or raises `UnexpectedValueError`.

The error's text continues a sentence after "expected". It never repeats the value, which may be a secret.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from mastodon_update_check.domain.urls import is_domain, is_ip_address, parse_url
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError

_GITHUB: Final = "https://raw.githubusercontent.com/mastodon/mastodon/v{version}/"
LONGEST_DURATION = timedelta(days=366)

_DURATION = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd]?)")
_UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PORT = re.compile(r"[0-9]{1,6}")
_PORTS = range(1, 1 << 16)
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_POSTGRESQL = re.compile(r"postgres(?:ql)?://", re.IGNORECASE)
_SIGNING_KEY_BYTES = range(24, 65)

Choice = TypeVar("Choice", bound=StrEnum)


class UnexpectedValueError(ValueError):
    """A value that cannot be used: the text continues a sentence after "expected"."""

    def __init__(self, expected: str, got: str | None = None) -> None:
        """Take the expectation; `got` replaces the value as it is written, and must not hold a secret."""
        super().__init__(expected)
        self.got = got


def parse_text(text: str) -> str:
    """Read one line of text, without the whitespace around it."""
    text = text.strip()
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise UnexpectedValueError("one line of text", "got control characters")
    return text


def parse_secret(text: str) -> str:
    """Read a secret as it is, whitespace included."""
    if "\0" in text:
        raise UnexpectedValueError("text", "got a NUL character")
    return text


def parse_path(text: str) -> Path:
    """Read a path; a relative one counts from the working directory."""
    return Path(parse_text(text))


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `30m`, `1h`, `2d` or a number of seconds; a year at most."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise UnexpectedValueError("a duration such as 90s, 30m, 1h or 2d, or a number of seconds")
    number, unit = int(match["number"]), timedelta(**{_UNITS[match["unit"]]: 1})
    if number > LONGEST_DURATION // unit:
        raise UnexpectedValueError(f"at most {LONGEST_DURATION.days} days")
    return number * unit


def parse_boolean(text: str) -> bool:
    """Read `true` or `false`, or one of the usual words for them."""
    return words(*_TRUE, *_FALSE)(text) in _TRUE


def choose(kind: type[Choice]) -> Callable[[str], Choice]:
    """Return the function that reads one word of `kind`, in upper or lower case."""
    word = words(*kind)
    return lambda text: kind(word(text))


def words(*allowed: str) -> Callable[[str], str]:
    """Return the function that reads one of the `allowed` words, in upper or lower case."""

    def parse(text: str) -> str:
        word = text.strip().lower()
        if word not in allowed:
            raise UnexpectedValueError(one_of(allowed))
        return word

    return parse


def one_of(allowed: Iterable[str]) -> str:
    """Return words as a list for people."""
    *most, last = allowed
    return f"{', '.join(most)} or {last}"


def parse_port(text: str) -> int:
    """Read a TCP port."""
    match = _PORT.fullmatch(text.strip())
    if match is None or int(match[0]) not in _PORTS:
        raise UnexpectedValueError("a port number (1-65535)")
    return int(match[0])


def parse_version(text: str) -> MastodonVersion:
    """Read a version of Mastodon."""
    try:
        return MastodonVersion.parse(text)
    except InvalidVersionError as error:
        raise UnexpectedValueError(
            "a version of Mastodon that starts with three numbers, such as 4.5.9, in at most 200 ASCII characters"
        ) from error


def parse_ledger(text: str) -> str:
    """Read a path, or the URL of a PostgreSQL database, which may hold a password."""
    text = parse_text(text)
    if (match := _POSTGRESQL.match(text)) is not None:
        return f"postgresql://{text[match.end() :]}"
    if "://" in text:
        raise UnexpectedValueError("a path or a postgresql:// URL", "got a URL of another kind")
    return text


def parse_signing_keys(text: str) -> str:
    """Read one or more secrets of the Standard Webhooks specification, separated by whitespace."""
    keys = text.split()
    if not all(map(_is_signing_key, keys)):
        raise UnexpectedValueError("whsec_ and the base64 of 24 to 64 bytes; several secrets are separated by spaces")
    return " ".join(keys)


def _is_signing_key(key: str) -> bool:
    try:
        decoded = base64.b64decode(key.removeprefix("whsec_"), validate=True)
    except ValueError:
        return False
    return key.startswith("whsec_") and len(decoded) in _SIGNING_KEY_BYTES


def require_smtp(text: str) -> str:
    """Read `SMTP_DELIVERY_METHOD`: only `smtp`."""
    if text.strip().lower() != "smtp":
        raise UnexpectedValueError(
            "smtp (to use this host's mail server, set SMTP_DELIVERY_METHOD=smtp, SMTP_SERVER=localhost and "
            "SMTP_PORT=25 in our own file)"
        )
    return "smtp"


def parse_url_or_blank(text: str) -> str | None:
    """Read a URL; None for a blank one, which means off."""
    return parse_url(text) if text.strip() else None


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
    template = {"off": "", "github": _GITHUB}.get(text.strip().lower(), text.strip())
    if template and "{version}" not in template:
        raise UnexpectedValueError("off, github or a URL with {version}")
    if template:
        parse_url(template.replace("{version}", "4.5.20"))
    return template
