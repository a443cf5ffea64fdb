"""Text in columns of a terminal: lines of at most 78, where Chinese, Japanese and Korean characters take two each."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from textwrap import wrap

from mastodon_update_check.messages.translation import NO_BREAK

WIDTH = 78
_QUOTING = re.compile(r" (?=>)")
"""Blanks before a `>`, which begins a quotation where it begins a line."""
_NEVER_FIRST = frozenset("),.:;!?、。，．・：；？！）」』】〕》ー々…ぁぃぅぇぉっゃゅょァィゥェォッャュョ")  # noqa: RUF001 - Japanese marks
_IN_DATES = "年月"
_FIRST_WIDE = "\u1100"
"""Every character before it is narrow; most texts have none behind it and need no second look."""
_NEVER_LAST = frozenset("(（「『【〔《")  # noqa: RUF001 - as above


def count_columns(text: str) -> int:
    """Return how many columns a text takes."""
    return len(text) if text.isascii() else sum(1 + _is_wide(char) for char in text)


def pad(text: str, columns: int) -> str:
    """Return the text with blanks behind it, so many columns wide."""
    return text + " " * (columns - count_columns(text))


@lru_cache(maxsize=64)  # most paragraphs are the same for all recipients
def fill(text: str, indent: str = "") -> str:
    """Break a text into lines, at blanks and between wide characters."""
    text = _QUOTING.sub(NO_BREAK, text)
    if max(text, default="") >= _FIRST_WIDE and any(map(_is_wide, text)):
        lines = _wrap_wide(text, indent)
    else:
        lines = wrap(
            text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines).replace(NO_BREAK, " ")


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in {"W", "F"}


def _wrap_wide(text: str, indent: str) -> Iterable[str]:
    line = indent
    for number, (blank, piece) in enumerate(_pieces(text)):
        if number and count_columns(line + blank + piece) > WIDTH:
            yield line
            line = indent + piece
        else:
            line += (blank if number else "") + piece
    yield line


def _pieces(text: str) -> Iterable[tuple[str, str]]:
    """Yield what is never broken, each with the blank that stands before it, if one does."""
    for word in text.split(" "):
        blank, piece = " ", ""
        for char in word:
            if piece and _may_break(piece[-1], char):
                yield blank, piece
                blank, piece = "", ""
            piece += char
        if piece:
            yield blank, piece


def _may_break(before: str, after: str) -> bool:
    """Return whether a line may end between two characters, one of them wide; marks and dates stay together."""
    if before.isdigit() or (after.isdigit() and before in _IN_DATES):
        return False
    return (_is_wide(before) or _is_wide(after)) and before not in _NEVER_LAST and after not in _NEVER_FIRST
