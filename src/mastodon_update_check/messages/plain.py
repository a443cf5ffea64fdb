"""Rendering as plain text, for terminal mail clients: lines of at most 78 characters where words allow."""

from typing import assert_never

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.columns import WIDTH, count_columns, fill, pad
from mastodon_update_check.messages.content import Block, Content, Details, Paragraph, Pointer, Releases
from mastodon_update_check.messages.translation import NO_BREAK


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
