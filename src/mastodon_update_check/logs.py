"""Logs: one line for each event, readable on a terminal and in the journal, JSON elsewhere.

The resident process imports this module: nothing heavy may be imported here.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from mastodon_update_check.domain.text import clean

LINE_CHARACTERS = 1_000
"""Longest text in a log line; the journal splits longer ones."""
SHORTEST_SECRET = 6
"""A shorter secret is too common in ordinary text to be hidden."""
SILENT = "silent"
"""A level above all others."""
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2, SILENT: -1}
"""Syslog's numbers: the journal takes a prefix like `<4>` as the line's priority (sd-daemon(3))."""
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}
_EVENT_COLUMN = 26
_EMPTY: tuple[object, ...] = (None, "", [], {})
"""Not shown to a person."""

Render = Callable[[str, str, Mapping[str, object]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """Where events go, from which level on, and in which form."""

    stream: TextIO | None = None
    """None: standard error, as it is at the time."""
    level: str = "info"
    render: Render | None = None
    hidden: tuple[str, ...] = ()


_lock = threading.Lock()
_outputs = [_Output()]
"""The last one is in use."""


def configure(level: str, log_format: str, stream: TextIO | None = None, secrets: Sequence[str] = ()) -> None:
    """Send the logs of this program, and the warnings of its libraries, to `stream`.

    Args:
        level: `debug`, `info`, `warning`, `error`, or `SILENT`.
        log_format: `console`, `json`, or `auto`: console on a terminal and in the journal, JSON otherwise.
        stream: where to; standard error by default.
        secrets: texts that are hidden wherever they appear: a second line of defence.
    """
    stream = stream or sys.stderr
    in_journal = _is_journal(stream)
    is_console = log_format == "console" or (log_format == "auto" and (in_journal or stream.isatty()))
    _outputs[-1] = _Output(
        stream=stream,
        level=level,
        render=_renderer(stream, is_console=is_console, in_journal=in_journal),
        # A secret may be part of another one: the longest goes first.
        hidden=tuple(sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True)),
    )
    logging.basicConfig(handlers=[_Forwarder()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def hide_secrets(text: str) -> str:
    """Replace the secrets that `configure` was given."""
    for secret in _outputs[-1].hidden:
        text = text.replace(secret, "…")
    return text


def snapshot() -> Callable[[], None]:
    """Return a function that sets the logs up again as they are now."""
    output = _outputs[-1]

    def restore() -> None:
        _outputs[-1] = output

    return restore


def write(level: str, event: str, /, **fields: object) -> None:
    """Write one event if its level is high enough; a log that cannot be written must not stop the program."""
    if _PRIORITIES[level] <= _PRIORITIES[_outputs[-1].level]:
        with suppress(OSError, ValueError):
            write_always(level, event, **fields)


def write_always(level: str, event: str, /, **fields: object) -> None:
    """Write one event at any level.

    Raises:
        OSError: it was not written.
    """
    output = _outputs[-1]
    stream = output.stream or sys.stderr
    render = output.render or _renderer(stream, is_console=False, in_journal=False)
    tidied = _tidy(_shorten_error({"event": event, **fields}))
    line = render(level, str(tidied.pop("event")), tidied)
    with _lock:
        stream.write(f"{line}\n")
        stream.flush()


class _Log:
    """`log.info("check.finished", planned=2)`: one method for each level."""

    def debug(self, event: str, /, **fields: object) -> None:
        write("debug", event, **fields)

    def info(self, event: str, /, **fields: object) -> None:
        write("info", event, **fields)

    def warning(self, event: str, /, **fields: object) -> None:
        write("warning", event, **fields)

    def error(self, event: str, /, **fields: object) -> None:
        write("error", event, **fields)

    def exception(self, event: str, /, **fields: object) -> None:
        """Write the exception that is being handled, as an error."""
        write("error", event, exc_info=True, **fields)

    def critical(self, event: str, /, **fields: object) -> None:
        write("critical", event, **fields)


log = _Log()


def _is_journal(stream: TextIO) -> bool:
    """Whether systemd has connected this very stream to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a file, as in tests
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _renderer(stream: TextIO, *, is_console: bool, in_journal: bool) -> Render:
    """Return what makes a line of an event; the journal has a time of its own."""
    has_colour = is_console and stream.isatty() and _may_colour()

    def render(level: str, event: str, fields: Mapping[str, object]) -> str:
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if is_console:
            line = _render_console(level, event, fields, "" if in_journal else f"{now} ", has_colour=has_colour)
        else:
            times = {} if in_journal else {"at": now}
            line = json.dumps({"event": event, **fields, "level": level, **times}, ensure_ascii=False)
        return f"<{_PRIORITIES[level]}>{line}" if in_journal else line

    return render


def _may_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _render_console(level: str, event: str, fields: Mapping[str, object], time: str, *, has_colour: bool) -> str:
    values = " ".join(f"{key}={_quote(value)}" for key, value in fields.items() if value not in _EMPTY)
    label = f"\x1b[{_COLOURS[level]}m{level}\x1b[0m" if has_colour else level
    return f"{time}[{label}]{' ' * (9 - len(level))}{event:{_EVENT_COLUMN}} {values}".rstrip()


def _quote(value: object) -> str:
    """Write a value so that its end is seen."""
    if isinstance(value, str) and " " not in value and '"' not in value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _shorten_error(fields: dict[str, object]) -> dict[str, object]:
    """Replace an exception with a few words: a traceback has many lines, and does not help an operator."""
    raised = fields.pop("exc_info", None)
    fields.pop("stack_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        fields["error"] = f"{type(error).__name__}: {error}"
    return fields


def _tidy(fields: Mapping[str, object]) -> dict[str, object]:
    """Keep everything on one line, bounded, and free of known secrets."""

    def tidy(value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(tidy(str(key))): tidy(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [tidy(each) for each in value]
        return clean(hide_secrets(str(value)), LINE_CHARACTERS)

    return {str(tidy(str(key))): tidy(value) for key, value in fields.items()}


class _Forwarder(logging.Handler):
    """Brings what libraries log into the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit the text: a library's bug is not ours
            text = str(record.msg)
        level = record.levelname.lower()
        known = level if level in _PRIORITIES else "warning"
        write(known, "library.logged", library=record.name, detail=text, exc_info=record.exc_info)
