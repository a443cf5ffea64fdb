"""Text in columns of a terminal: lines of at most 78, where Chinese, Japanese and Korean characters take two each."""

import re
import unicodedata
from functools import lru_cache

from mastodon_update_check.messages.translation import NO_BREAK

WIDTH = 78
_QUOTING = re.compile(r" (?=>)")
"""Blanks before a `>`, which begins a quotation where it begins a line."""
_WIDE = r"\u2e80-\u9fff\uac00-\ud7a3\uf900-\uffef"
_CLOSING = r"[)…,.:;!?、。」』】〕》ー\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f]*"  # noqa: RUF001
_PIECE = re.compile(rf" ?[(（「『【〔《]*(?:(?:[0-9]+[年月日])+|[{_WIDE}]|[^ {_WIDE}]+|$){_CLOSING}")  # noqa: RUF001
"""Text that stays on one line: a word, a date, or a wide character, with the marks around it."""


def count_columns(text: str) -> int:
    """Return how many columns a text takes."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


def pad(text: str, columns: int) -> str:
    """Return the text with blanks behind it, so many columns wide."""
    return text + " " * (columns - count_columns(text))


@lru_cache(maxsize=64)  # most paragraphs are the same for all recipients
def fill(text: str, indent: str = "") -> str:
    """Break a text into lines, at blanks and between wide characters."""
    lines, line = [], indent
    for piece in _PIECE.findall(_QUOTING.sub(NO_BREAK, " ".join(text.split(" ")).strip())):
        if line == indent:
            line += piece.lstrip(" ")
        elif count_columns(line + piece) <= WIDTH:
            line += piece
        else:
            lines.append(line)
            line = indent + piece.lstrip(" ")
    return "\n".join([*lines, line]).replace(NO_BREAK, " ")
