"""Logs: one line per event, for a person on a terminal, as JSON elsewhere, with priorities for the journal."""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from mastodon_update_check.domain.text import clean

LINE_CHARACTERS = 1_000
"""Longest text in a log line; the journal splits what is much longer."""
SHORTEST_SECRET = 6
"""What is shorter is too common in ordinary text to be hidden."""
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""Syslog's numbers: the journal takes a prefix like `<4>` as the line's priority (sd-daemon(3))."""


def configure(level: str, log_format: str, stream: TextIO | None = None, secrets: Sequence[str] = ()) -> None:
    """Send the logs of this program, and the warnings of its libraries, to `stream`.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `console`, `json`, or `auto`: console on a terminal, JSON otherwise.
        stream: where to; standard error by default.
        secrets: texts that are hidden wherever they turn up: a second line of defence.
    """
    stream = stream or sys.stderr
    is_console = log_format == "console" or (log_format == "auto" and stream.isatty())
    in_journal = _is_journal(stream)
    stamps = [] if in_journal else [structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *stamps,
            _shorten_errors,
            _tidy(secrets),
            _render(_console(stream) if is_console else _json, with_priority=in_journal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: structlog.PrintLogger(stream) if names else _PatientLogger(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Forwarder()], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


def snapshot() -> Callable[[], None]:
    """Return a function that sets the logs up again as they are now."""
    config = structlog.get_config()
    return lambda: structlog.configure(**config)


def _is_journal(stream: TextIO) -> bool:
    """Whether systemd has connected this very stream to the journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # a stream without a file, as in tests
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _console(stream: TextIO) -> Callable[[WrappedLogger, str, EventDict], str]:
    renderer = structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="at")
    return lambda logger, name, event: str(renderer(logger, name, event))


_renderer = structlog.processors.JSONRenderer(ensure_ascii=False)


def _json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    return str(_renderer(logger, name, {"event": event.pop("event"), **event}))


def _render(
    renderer: Callable[[WrappedLogger, str, EventDict], str], *, with_priority: bool
) -> Callable[[WrappedLogger, str, EventDict], str]:
    def render(logger: WrappedLogger, name: str, event: EventDict) -> str:
        prefix = f"<{_PRIORITIES[event['level']]}>" if with_priority else ""
        return prefix + renderer(logger, name, event)

    return render


def _shorten_errors(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Say what was raised in a few words: a traceback has many lines, and is of no use to an operator."""
    raised = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = sys.exc_info()[1] if raised is True else raised[1] if isinstance(raised, tuple) else raised
    if isinstance(error, BaseException):
        event["error"] = f"{type(error).__name__}: {error}"
    return event


def _tidy(secrets: Sequence[str]) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    """Keep everything on one line, bounded, and free of known secrets."""
    # A secret may be part of another one: the longest goes first.
    hidden = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)

    def tidy(value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(tidy(str(key))): tidy(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [tidy(each) for each in value]
        text = str(value)
        for secret in hidden:
            text = text.replace(secret, "***")
        return clean(text, LINE_CHARACTERS)

    return lambda _logger, _name, event: {str(tidy(str(key))): tidy(value) for key, value in event.items()}


class _PatientLogger(structlog.PrintLogger):
    """Bears a stream that nobody reads any more: a log that cannot be written must not stop the work.

    Who must know whether a line was written asks for a logger with a name.
    """

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError):
            super().msg(message)

    debug = info = warning = error = critical = msg


class _Forwarder(logging.Handler):
    """Brings what libraries log into the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit the text: a library's bug is not ours
            text = str(record.msg)
        level = record.levelname.lower()
        write = getattr(structlog.get_logger(), level if level in _PRIORITIES else "warning")
        write("library.logged", library=record.name, detail=text, exc_info=record.exc_info)
