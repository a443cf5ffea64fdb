"""Rendering of a content: as plain text for terminal mail clients, and as an HTML document.

Lines of text have at most 78 columns where words allow; Chinese, Japanese and Korean characters take two columns each.
HTML reads well on a phone, light and dark, without images or outside resources.
"""

import re
import unicodedata
from functools import lru_cache
from html import escape
from typing import assert_never

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.domain.text import clean
from mastodon_update_check.messages.content import Block, Content, Details, Paragraph, Pointer, Release, Releases
from mastodon_update_check.messages.translation import NO_BREAK

WIDTH = 78
_QUOTING = re.compile(r" (?=>)")
"""Blanks before a `>`, which begins a quotation where it begins a line."""
_WIDE = r"\u2e80-\u9fff\uac00-\ud7a3\uf900-\uffef"
_CLOSING = r"[)…,.:;!?、。」』】〕》ー\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f]*"  # noqa: RUF001
_PIECE = rf" ?[(（「『【〔《]*(?:(?:[0-9]+[年月日])+|[{_WIDE}]|[^ {_WIDE}]+|$){_CLOSING}"  # noqa: RUF001
"""Text that stays on one line: a word, a date, or a wide character, with the marks around it.

Compiled with the first message: it takes 4 ms, which a check that finds nothing does not need."""


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
    for piece in re.findall(_PIECE, _QUOTING.sub(NO_BREAK, text.strip())):
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
            return _write_releases(block)
        case Details():
            heads = [f"  {', '.join(row.ids)}: " if row.ids else "  " for row in block.fixes]
            rows = [head + clean(row.text, WIDTH - len(head)) for head, row in zip(heads, block.fixes, strict=True)]
            return "\n".join([*([fill(block.title)] if block.title else []), *rows, *map(fill, block.sentences)])
        case _:
            assert_never(block)


def _write_releases(block: Releases) -> str:
    columns = [(row.when, row.version, row.label) for row in block.rows]
    widths = [max(count_columns(cells[number]) for cells in columns) for number in range(3)]
    lines = []
    for row, cells in zip(block.rows, columns, strict=True):
        head = "  ".join(pad(cell, width) for cell, width in zip(cells, widths, strict=True) if width)
        lines.append(f"  {head}  {row.url}".rstrip())
        if row.note:
            lines.append(fill(row.note, indent=" " * 6))
    return "\n".join(lines)


_ADVISORIES = "https://github.com/mastodon/mastodon/security/advisories/"
# Colours keep a contrast of at least 4.5 to 1 on both grounds (WCAG 2.2, 1.4.3). Mail clients that drop the style
# sheet show the elements' own styles: everything stays readable.
_STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 16px; background: #ffffff; color: #1b1b26; }
.message { overflow-wrap: anywhere; }
.message:lang(ja) { word-break: auto-phrase; }
.message { max-width: 36em; margin: 0 auto; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
.banner { border-left: 4px solid #563acc; padding: 2px 0 2px 12px; margin: 0 0 16px; }
.banner.urgent { border-color: #c02637; }
h1 { font-size: 18px; line-height: 1.3; margin: 0; }
p { margin: 0 0 14px; }
ul { list-style: none; margin: 0 0 14px; padding: 0; }
li { padding: 8px 0; border-top: 1px solid #d9d9e3; }
li:last-child { border-bottom: 1px solid #d9d9e3; }
.version { font-weight: 600; }
.label { color: #5b5b6e; }
.label.urgent { color: #c02637; font-weight: 600; }
.note, footer { color: #5b5b6e; font-size: 14px; }
footer { border-top: 1px solid #d9d9e3; padding-top: 10px; }
a { color: #563acc; }
code { font: 13px ui-monospace, Consolas, monospace; }
@media (prefers-color-scheme: dark) {
  body { background: #191b22; color: #e7e7ee; }
  .label, .note, footer { color: #a9a9bb; }
  .label.urgent { color: #ff8a8f; }
  .banner { border-color: #9d8cff; }
  .banner.urgent { border-color: #ff6b73; }
  li, li:last-child, footer { border-color: #3a3c48; }
  a { color: #b3a5ff; }
}
"""


def render_html(content: Content) -> str:
    """Return the content as a whole HTML document; every outside text is escaped."""
    urgent = " urgent" if content.is_urgent else ""
    footer, url = escape(content.footer), content.footer_url
    linked = footer.replace(escape(url), _link(url, url)) if url else footer
    blocks = "\n".join(render_html_block(block) for block in content.blocks)
    return f"""<!DOCTYPE html>
<html lang="{escape(content.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(content.subject)}</title>
<style>{_STYLE}</style>
</head>
<body>
<div class="message">
<div class="banner{urgent}"><h1>{escape(content.subject)}</h1></div>
{blocks}
<footer>{linked}</footer>
</div>
</body>
</html>
"""


def render_html_block(block: Block) -> str:
    """Return one block; every outside text is escaped."""
    match block:
        case Paragraph():
            return f"<p>{escape(block.text)}</p>"
        case Pointer(is_link=True):
            return f"<p>{escape(block.label)} {_link(block.target, block.target)}</p>"
        case Pointer():
            return f"<p>{escape(block.label)}<br><code>{escape(block.target)}</code></p>"
        case Releases():
            return "<ul>\n" + "\n".join(_render_release(row, block.notes_label) for row in block.rows) + "\n</ul>"
        case Details():
            return _render_details(block)
        case _:
            assert_never(block)


def _render_details(block: Details) -> str:
    parts = [f"<p>{escape(block.title)}</p>"] if block.title else []
    if block.fixes:
        rows = "\n".join(f"<li>{_render_fix(row)}</li>" for row in block.fixes)
        parts.append(f"<ul>\n{rows}\n</ul>")
    parts += [f"<p>{escape(sentence)}</p>" for sentence in block.sentences]
    return "\n".join(parts)


def _render_fix(row: Fix) -> str:
    ids = ", ".join(_link(f"{_ADVISORIES}{one}", one) if one.startswith("GHSA-") else escape(one) for one in row.ids)
    return f'{escape(row.text)}<br><span class="note">{ids}</span>' if ids else escape(row.text)


def _render_release(row: Release, notes_label: str) -> str:
    label = " · ".join(part for part in (row.when, row.label) if part)
    urgent = " urgent" if row.is_urgent else ""
    parts = [f'<span class="version">{escape(row.version)}</span>']
    if label:
        parts.append(f'<span class="label{urgent}">{escape(label)}</span>')
    if row.url:
        parts.append("<br>" + (_link(row.url, notes_label) if row.is_link else escape(row.url)))
    if row.note:
        parts.append(f'<br><span class="note">{escape(row.note)}</span>')
    return f"<li>{' '.join(parts)}</li>"


def _link(url: str, text: str) -> str:
    return f'<a href="{escape(url)}">{escape(text)}</a>'
