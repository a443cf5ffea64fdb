"""What the commands share: exit codes, settings, an opened program, words, output."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import IntEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.config import Settings, load_settings
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.place import SCHEMES
from mastodon_update_check.ledger.summary import Trouble

TELLING_CHARACTERS = 16
"""A part of a URL's path as long as this may be a token; what is shorter is a word."""


class Exit(IntEnum):
    """Exit codes (DESIGN.md, section 5; sysexits.h)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNKNOWN = 3
    BROKEN = 70
    LEDGER = 74
    INCOMPLETE = 75
    SETTINGS = 78


def load_app() -> App:
    """Read the settings and set the logs up.

    Raises:
        SettingsError: the settings are wrong.
    """
    settings = load_settings(os.environ, find_version=_find_version)
    logs.configure(settings.log_level, settings.log_format, secrets=tuple(_secrets(settings)))
    return App(settings)


def is_set_up(settings: Settings) -> bool:
    """Whether a variable is set anywhere, or there is a Mastodon where it is expected."""
    from mastodon_update_check.files.foreign import is_missing

    return not settings.origins.keys() <= {"UPDATE_CHECK_CONFIG"} or not is_missing(settings.mastodon_root)


def _find_version(root: Path, environment: Mapping[str, str]) -> MastodonVersion:
    from mastodon_update_check.mastodon.tree import read_tree_version

    return read_tree_version(root, environment)


def _secrets(settings: Settings) -> Iterator[str]:
    """What must never show in a log, whatever a library or a server says."""
    words = ("password", "secret", "token", "key")
    for sink in settings.sinks:
        for name, value in sink.options.items():
            if any(word in name for word in words):
                yield value
                yield from value.split()  # several secrets of one webhook, while they rotate
            elif "://" in value:
                yield from _parts(value)
    if settings.ledger.startswith(SCHEMES):
        yield from _parts(settings.ledger)
    addresses = (settings.database_url, settings.mastodon_database_url, settings.https_proxy, settings.http_proxy)
    hidden = (*addresses, settings.db_pass, settings.heartbeat_url)
    for secret in filter(None, hidden):
        yield secret.get_secret_value()
        yield from _parts(secret.get_secret_value())


def _parts(url: str) -> Iterator[str]:
    """Give the parts of a URL that may be secret, as they are written and as they are meant.

    Other schemes than http have their secrets anywhere: all of it is one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # not every connection string is a URL
        return
    telling = [piece for piece in f"{parts.path}/{parts.query}".split("/") if len(piece) >= TELLING_CHARACTERS]
    for part in (parts.password or "", *(telling if parts.scheme in {"http", "https"} else (url,))):
        yield part
        yield unquote(part)


def count(number: int, noun: str) -> str:
    """Write `1 message`, `2 messages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def minute(moment: datetime) -> str:
    """Write `2026-11-23 06:20 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def describe_end_of_support(branch: str, ends_on: date, now: datetime) -> str:
    """Say until when a branch is, or was, supported; without a full stop."""
    from mastodon_update_check.messages.content import long_date

    return f"Support for {branch} {'ended' if ends_on < now.date() else 'ends'} on {long_date(ends_on)}"


def describe_troubles(troubles: Iterable[Trouble]) -> Iterator[str]:
    """Say of each message that was not accepted whom it was for, and what the other side said."""
    for trouble in troubles:
        to = f" to {trouble.address}" if trouble.address else ""
        yield f"{trouble.sink}{to}: {'refused' if trouble.is_refused else 'put off'}: {trouble.reply}"


def print_json(data: Mapping[str, object]) -> None:
    """Write one JSON object to standard output; in ASCII where that is not UTF-8, as JSON must be (RFC 8259, 8.1)."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8")
    sys.stdout.write("\n")
