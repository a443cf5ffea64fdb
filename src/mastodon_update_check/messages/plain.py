"""Rendering as plain text, for terminal mail clients: lines of at most 78 columns where words allow.

Chinese, Japanese and Korean characters take two columns each.
"""

import re
import unicodedata
from functools import lru_cache
from typing import assert_never

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.content import Block, Content, Details, Paragraph, Pointer, Releases
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
    for piece in _PIECE.findall(_QUOTING.sub(NO_BREAK, text.strip())):
        if line == indent:
            line += piece.lstrip(" ")
        elif count_columns(line + piece) <= WIDTH:
            line += piece
        else:
            lines.append(line)
            line = indent + piece.lstrip(" ")
    return "\n".join([*lines, line]).replace(NO_BREAK, " ")


def render_text(content: Content) -> str:
    """Return the content's text, without its subject."""
    parts = [render_block(block) for block in content.blocks]
    return "\n\n".join([*parts, "-- \n" + fill(content.footer)]) + "\n"


def render_block(block: Block) -> str:
    """Return the lines of one block."""
    match block:
        case Paragraph():
            return fill(block.text)
        case Pointer():
            label = block.label.replace(NO_BREAK, " ")
            line = f"{label} {block.target}"
            return line if count_columns(line) <= WIDTH else f"{fill(block.label)}\n  {block.target}"
        case Releases():
            return _render_releases(block)
        case Details():
            rows = [_render_fix(row) for row in block.fixes]
            return "\n".join([*([fill(block.title)] if block.title else []), *rows, *map(fill, block.sentences)])
        case _:
            assert_never(block)


def _render_fix(row: Fix) -> str:
    """Write one line: ids, then as much of the text as fits."""
    head = f"  {', '.join(row.ids)}: " if row.ids else "  "
    return head + clean(row.text, WIDTH - len(head))


def _render_releases(block: Releases) -> str:
    columns = [(row.when, row.version, row.label) for row in block.rows]
    widths = [max(count_columns(cells[number]) for cells in columns) for number in range(3)]
    lines = []
    for row, cells in zip(block.rows, columns, strict=True):
        head = "  ".join(pad(cell, width) for cell, width in zip(cells, widths, strict=True) if width)
        lines.append(f"  {head}  {row.url}".rstrip())
        if row.note:
            lines.append(fill(row.note, indent=" " * 6))
    return "\n".join(lines)
