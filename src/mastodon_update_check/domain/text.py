"""Outside text made fit to be shown: every server reply, user name and file content passes through here."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

SHOWN_CHARACTERS = 200
"""Longest piece of outside text that is ever shown or stored."""

_WARNINGS_SHOWN = 20

# Cc control, Cf format (bidi overrides, zero width), Zl/Zp line and paragraph separators, Cs lone surrogates.
_UNSAFE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})

_URL = re.compile(
    r"(?:\w{1,20}:/{1,9}|\bwww\.|(?<![\w:/.])//|\b(?:https?|mailto|tel|javascript):"
    r"|(?<![\w./-])(?:[\w-]{1,63}\.){1,5}[a-z]{2,24}/)\S*",
    re.IGNORECASE,
)
"""Text of which mail programs and chat services make a link: also a host without a scheme, with a path behind it."""
_MARKS = str.maketrans("", "", "<>@")


def without_links(text: str) -> str:
    """Return `text` without URLs, and without the signs by which chat services know links and mentions."""
    return _URL.sub("…", text.translate(_MARKS)).replace("](", "] (")


def cut_warnings(warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the first warnings about one answer, and the number of the others."""
    rest = len(warnings) - _WARNINGS_SHOWN
    return (*warnings[:_WARNINGS_SHOWN], *((f"{rest} more warnings about the same answer",) if rest > 0 else ()))


def words_of(error: BaseException) -> str:
    """Return the text of a foreign error, fit to be shown; empty if it has none."""
    try:
        return clean(str(error))
    except Exception:  # noqa: BLE001 - its text cannot be made; callers name its class
        return ""


def describe_bug(error: BaseException) -> str:
    """Return a sentence about an error that this program did not expect, and where it arose."""
    from traceback import extract_tb

    where = extract_tb(error.__traceback__)[-1]
    place = f"{where.filename.rpartition('/')[2]}, line {where.lineno}"
    fault = f"{type(error).__name__} in {place}: {words_of(error)}"
    return f"this is a bug in mastodon-update-check, please report it: {fault}"


def clean(text: str, limit: int = SHOWN_CHARACTERS) -> str:
    """Return `text` on one line, without control or formatting characters, cut at `limit` characters."""
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:  # nearly always
        return text.strip()
    head = text[: limit * 4]  # bounds the work on enormous texts; cut again below
    spaced = "".join(" " if unicodedata.category(char) in _UNSAFE else char for char in head)
    line = " ".join(spaced.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def count(number: int, noun: str) -> str:
    """Write `1 message`, `2 messages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def minute(moment: datetime) -> str:
    """Write `2026-11-23 06:20 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
