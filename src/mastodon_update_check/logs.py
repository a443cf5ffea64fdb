"""Logs: one line for each event, readable on a terminal and in the journal, JSON elsewhere; and secrets kept from view.

The resident process imports this module: nothing heavy may be imported here.
"""

import io
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self, TextIO

from mastodon_update_check.domain.text import clean
from mastodon_update_check.terminal import ERASE_LINE, has_controls, may_colour

TEXT_CHARACTERS = 1_000
"""Longest text in a log line."""
ITEMS_SHOWN = 20
"""Most items of a list in a log line: the journal splits a line of 48 KiB, and takes the rest for another entry."""
SHORTEST_SECRET = 6
"""A shorter secret is too common in ordinary text to be hidden."""
SILENT = "silent"
"""The level above all others: only the messages of the log sink are written, for a person as part of the answer."""
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2, SILENT: -1}
"""Syslog's numbers: the journal takes a prefix like `<4>` as the line's priority (sd-daemon(3))."""
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """Where events go, from which level on, and in which form."""

    stream: TextIO | None = None
    """None: standard error, as it is at the time."""
    level: str = "info"
    is_console: bool = False
    in_journal: bool = False
    hidden: tuple[str, ...] = ()


def configure(level: str, log_format: str, stream: TextIO | None = None, secrets: Sequence[str] = ()) -> None:
    """Send the logs of this program, and the warnings of its libraries, to `stream` (standard error).

    The format is `console`, `json`, or `auto`: console on a terminal and in the journal, JSON otherwise. `secrets` are
    hidden wherever they appear: a second line of defence.
    """
    stream = stream or sys.stderr
    in_journal = _is_journal(stream)
    is_console = log_format == "console" or (log_format == "auto" and (in_journal or stream.isatty()))
    # A secret may be part of another one: the longest goes first.
    hidden = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)
    _outputs[0] = _Output(stream=stream, level=level, is_console=is_console, in_journal=in_journal, hidden=(*hidden,))
    logging.basicConfig(handlers=[_Forwarder()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def hide_secrets(text: str) -> str:
    """Replace the secrets that `configure` was given."""
    for secret in _outputs[0].hidden:
        text = text.replace(secret, "…")
    return text


def write(level: str, event: str, /, **fields: object) -> None:
    """Write one event if its level is high enough; a log that cannot be written must not stop the program."""
    if _PRIORITIES[level] <= _PRIORITIES[_outputs[0].level]:
        with suppress(OSError, ValueError):
            write_always(level, event, **fields)


def write_always(level: str, event: str, /, **fields: object) -> None:
    """Write one event at any level. Raises `OSError` when it cannot be written."""
    output = _outputs[0]
    stream = output.stream or sys.stderr
    line = _render(output, stream, level, str(_tidy(event)), {str(_tidy(key)): _tidy(fields[key]) for key in fields})
    with _lock:
        stream.write(f"{line}\n")
        stream.flush()


class _Log:
    """`log.info("check.finished", planned=2)`: one method for each level."""

    debug = staticmethod(partial(write, "debug"))
    info = staticmethod(partial(write, "info"))
    warning = staticmethod(partial(write, "warning"))
    error = staticmethod(partial(write, "error"))
    critical = staticmethod(partial(write, "critical"))


log = _Log()


def _is_journal(stream: TextIO) -> bool:
    """Return whether systemd has connected this stream to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a file, as in tests
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _render(output: _Output, stream: TextIO, level: str, event: str, fields: Mapping[str, object]) -> str:
    """Return a line, with what the journal or a terminal needs before it."""
    erase = ERASE_LINE if stream.isatty() and has_controls() else ""  # a progress line
    before = f"<{_PRIORITIES[level]}>" if output.in_journal else erase
    time = "" if output.in_journal else datetime.now(UTC).isoformat().replace("+00:00", "Z")
    if output.is_console and output.level == SILENT:
        return f"{before}log: {fields.get('summary', event)}"
    if not output.is_console:
        times = {"at": time} if time else {}
        return before + json.dumps({"event": event, **fields, "level": level, **times}, ensure_ascii=False)
    shown = {name: value for name, value in fields.items() if value not in (None, "", [], {})}
    plain = {name: value for name, value in shown.items() if isinstance(value, str) and not {" ", '"'} & {*value}}
    values = " ".join(f"{name}={plain.get(name) or json.dumps(shown[name], ensure_ascii=False)}" for name in shown)
    label = f"\x1b[{_COLOURS[level]}m{level}\x1b[0m" if may_colour(stream) else level
    return f"{before}{f'{time} ' if time else ''}[{label}]{' ' * (9 - len(level))}{event:26} {values}".rstrip()


def _tidy(value: object) -> object:
    """Keep everything on one line, bounded, and free of known secrets."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(_tidy(str(key))): _tidy(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_tidy(each) for each in value]
        rest = len(items) - ITEMS_SHOWN
        return [*items[:ITEMS_SHOWN], *([f"{rest} more"] if rest > 0 else [])]
    return clean(hide_secrets(str(value)), TEXT_CHARACTERS)


class _Forwarder(logging.Handler):
    """Brings what libraries log into the same form; of an exception, its kind and text."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit the text: a library's bug is not ours
            text = str(record.msg)
        error = record.exc_info[1] if record.exc_info else None
        fields = {"error": f"{type(error).__name__}: {error}"} if error else {}
        level = record.levelname.lower()
        known = level if level in _PRIORITIES else "warning"
        write(known, "library.logged", library=record.name, detail=text, **fields)


_lock = threading.Lock()
_outputs = [_Output()]
"""The one output."""

_OURS = re.compile(r"(\r\x1b\[K|\x1b\[(?:0|1;31|2|31|32|33)m)")
"""Sequences that this program writes itself; colours can do no harm."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class CleanStream(io.TextIOWrapper):
    """Standard output or error without secrets, and with no control characters but line breaks and our own.

    The ledger, and whatever else a command shows, may have been written by another user.
    """

    @classmethod
    def around(cls, stream: io.TextIOWrapper) -> Self:
        """Take over a stream; characters that its encoding lacks are written as escapes."""
        encoding, is_line_buffered = stream.encoding, stream.line_buffering
        return cls(stream.detach(), encoding, "backslashreplace", line_buffering=is_line_buffered)

    def write(self, text: str, /) -> int:
        """Write a text, and return its length."""
        parts = _OURS.split(hide_secrets(text))
        parts[::2] = [_CONTROLS.sub("\ufffd", part) for part in parts[::2]]
        super().write("".join(parts))
        return len(text)
