"""Text on a terminal: wrapped to its width, with colour and a progress line; elsewhere plain lines, unwrapped."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TextIO

_WIDEST = 100
_UNLIMITED = 100_000
_COLOURS = {"bad": "1;31", "warning": "33", "fine": "32", "quiet": "2"}
_PROGRESS_SECONDS = 1.0
ERASE_LINE = "\r\x1b[K"


def columns(stream: TextIO | None = None) -> int:
    """Return how wide a line of `stream`, standard output by default, may be."""
    import shutil

    is_terminal = (stream or sys.stdout).isatty()
    return min(max(shutil.get_terminal_size().columns, 20), _WIDEST) if is_terminal else _UNLIMITED


def paint(text: str, colour: str) -> str:
    """Return the text in a colour (`bad`, `warning`, `fine`, `quiet`) where the terminal has colours."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if may_colour(sys.stdout) else text


def may_colour(stream: TextIO) -> bool:
    """Return whether a person reads `stream` and has not declined colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and has_controls()


def has_controls() -> bool:
    """Return whether the terminal knows control sequences."""
    return os.environ.get("TERM", "dumb") != "dumb"


def fill(
    text: str, first: str = "", rest: str | None = None, stream: TextIO | None = None, widest: int = _UNLIMITED
) -> str:
    """Wrap a text between words; `first` stands before its first line, `rest` (by default blanks) before the others."""
    from textwrap import wrap

    hanging = " " * len(first) if rest is None else rest
    lines = wrap(
        text,
        min(columns(stream), widest),
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines or [first.rstrip()])


def say(text: str, stream: TextIO | None = None) -> None:
    """Print lines, each wrapped; what continues an indented line is indented by two more blanks."""
    stream = stream or sys.stdout
    for line in text.split("\n"):
        blanks = line[: len(line) - len(line.lstrip())]
        stream.write(f"{fill(line.strip(), blanks, f'{blanks}  ' if blanks else '', stream)}\n")
    stream.flush()


def complain(text: str) -> None:
    """Write an error on standard error; where that cannot be written, the exit code remains."""
    with suppress(OSError):
        say(f"mastodon-update-check: {text}", sys.stderr)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows below each other; a table that is too wide becomes one wrapped paragraph a row."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    start = sum(widths[:-1]) + 2 * (len(widths) - 1)
    if start + min(widths[-1], 20) > columns():
        for row in rows[1:]:
            pairs = zip(rows[0], row, strict=True)
            sys.stdout.write(f"{fill('; '.join(f'{name.lower()}: {cell}' for name, cell in pairs), rest='    ')}\n")
        return
    for *cells, last in rows:
        head = "".join(f"{cell:{width}}  " for cell, width in zip(cells, widths, strict=False))
        sys.stdout.write(f"{fill(last, head)}\n")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on a terminal what is going on, if it takes longer than a second."""
    if not (sys.stdout.isatty() and sys.stderr.isatty() and has_controls()):
        yield
        return
    shown: list[str] = []

    def show() -> None:
        shown.append(text)
        sys.stderr.write(f"{text} …")
        sys.stderr.flush()

    timer = threading.Timer(_PROGRESS_SECONDS, show)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        if shown:
            sys.stderr.write(ERASE_LINE)
            sys.stderr.flush()
