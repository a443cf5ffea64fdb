"""A letter as plain text, for terminal mail clients: lines of at most 78 characters where words allow."""

import re
from textwrap import wrap
from typing import assert_never

from mastodon_update_check.core.messages.letter import MONTHS, Block, Letter, Paragraph, Pointer, Releases

WIDTH = 78
_NO_BREAK = "\u00a0"
_UNBROKEN = re.compile(rf"(?<=\d) (?=(?:{'|'.join(MONTHS)})\b)| (?=>)")
"""Blanks at which no line ends: inside a date, and before a `>`, which begins a quotation where it begins a line."""


def render_text(letter: Letter) -> str:
    """Return the letter's text, without its subject."""
    parts = [_render(block) for block in letter.blocks]
    return "\n\n".join([*parts, "-- \n" + _fill(letter.footer)]) + "\n"


def _render(block: Block) -> str:
    match block:
        case Paragraph():
            return _fill(block.text)
        case Pointer():
            line = f"{block.label} {block.target}"
            return line if len(line) <= WIDTH else f"{block.label}\n  {block.target}"
        case Releases():
            return _render_releases(block)
        case _:
            assert_never(block)


def _render_releases(block: Releases) -> str:
    columns = [(row.when, row.version, row.label) for row in block.rows]
    widths = [max(len(cells[number]) for cells in columns) for number in range(3)]
    lines = []
    for row, cells in zip(block.rows, columns, strict=True):
        head = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True) if width)
        lines.append(f"  {head}  {row.url}".rstrip())
        if row.note:
            lines.append(_fill(row.note, indent=" " * 6))
    return "\n".join(lines)


def _fill(text: str, indent: str = "") -> str:
    lines = wrap(
        _UNBROKEN.sub(_NO_BREAK, text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace(_NO_BREAK, " ")
