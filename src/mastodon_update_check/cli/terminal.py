"""Answers on a person's terminal: wrapped to its width, with colour and progress; elsewhere plain lines, unwrapped."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap

_WIDEST = 100
_UNLIMITED = 100_000
_COLOURS = {"bad": "1;31", "warning": "33", "fine": "32", "quiet": "2", "bold": "1"}
_PROGRESS_SECONDS = 1.0
_LINE_AGAIN = "\r\x1b[K"


def is_person() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def columns() -> int:
    """Return how wide a line may be."""
    return min(max(shutil.get_terminal_size().columns, 20), _WIDEST) if is_person() else _UNLIMITED


def paint(text: str, colour: str) -> str:
    """Return the text in a colour (`bad`, `warning`, `fine`, `quiet`, `bold`) where the terminal has colours."""
    has_colour = is_person() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if has_colour and colour else text


def fill(text: str, first: str = "", rest: str | None = None) -> Iterator[str]:
    """Wrap a text between words; `first` stands before its first line, `rest` (by default blanks) before the others."""
    hanging = " " * len(first) if rest is None else rest
    lines = wrap(
        text,
        columns(),
        initial_indent=first,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from lines or [first.rstrip()]


def say(text: str, first: str = "", rest: str | None = None) -> None:
    """Print a wrapped text."""
    for line in fill(text, first, rest):
        print(line)


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows below each other; a table that is too wide becomes one wrapped paragraph a row."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    start = sum(widths[:-1]) + 2 * (len(widths) - 1)
    if start + min(widths[-1], 20) > columns():
        for row in rows[1:]:
            say("; ".join(f"{name.lower()}: {cell}" for name, cell in zip(rows[0], row, strict=True)), rest="    ")
        return
    for row in rows:
        head = "  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True))
        say(row[-1], f"{head}  ", " " * start)


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Show on a terminal what is going on, if it takes longer than a second."""
    if not (is_person() and sys.stderr.isatty()):
        yield
        return
    is_over = threading.Event()

    def show() -> None:
        if not is_over.wait(_PROGRESS_SECONDS):
            sys.stderr.write(f"{text} …")
            sys.stderr.flush()
            is_over.wait()
            sys.stderr.write(_LINE_AGAIN)
            sys.stderr.flush()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
