"""What the commands share: exit codes, settings, an opened program, words, output."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import IntEnum

from mastodon_update_check import startup
from mastodon_update_check.app import App
from mastodon_update_check.ledger.summary import UndeliveredMessage


class Exit(IntEnum):
    """Exit codes (sysexits.h)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNKNOWN = 3
    BROKEN = 70
    LEDGER = 74
    INCOMPLETE = 75
    SETTINGS = 78


def load_app(arguments: Namespace | None = None, *, is_lenient: bool = False) -> App:
    """Read the settings and set the logs up.

    A person's terminal shows the answer of a command, and no log lines unless they are wanted (`--verbose`).

    Raises:
        SettingsError: the settings are wrong.
    """
    is_terminal = sys.stdout.isatty() and sys.stderr.isatty()
    is_silent = is_terminal and arguments is not None and not arguments.verbose
    return startup.load_app(is_silent=is_silent, is_lenient=is_lenient)


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


def describe_troubles(troubles: Iterable[UndeliveredMessage]) -> Iterator[str]:
    """Say of each message that was not accepted whom it was for, and what the other side said."""
    for trouble in troubles:
        to = f" to {trouble.address}" if trouble.address else ""
        yield f"{trouble.sink}{to}: {'refused' if trouble.is_refused else 'put off'}: {trouble.reply}"


def print_json(data: Mapping[str, object]) -> None:
    """Write one JSON object to standard output; in ASCII where that is not UTF-8, as JSON must be (RFC 8259, 8.1)."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8")
    sys.stdout.write("\n")
