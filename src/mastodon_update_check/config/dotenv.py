r"""The syntax of a dotenv file, as Ruby's dotenv 2 and 3 read it; `expansion` gives the values.

An assignment begins on a line of its own: whitespace, perhaps `export`, a name, `=` (or a colon and a space), a value.

- A value in quotes ends at a quote that only whitespace and a comment follow. A backslash keeps a quote from ending
  it, if a later quote can. It may span lines.
- Any other value ends at the first `#`, even inside a word, or with its line; whitespace around it is dropped.
- Whitespace before `=`, and between `=` and a quote, may include newlines.
- A line that is not an assignment has no effect.

Ruby does this with one backtracking expression. This scanner reads each character a few times at most, so that no
file can make it slow.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_WHITESPACE = re.compile(r"\s*+", re.ASCII)
_HEAD = re.compile(r"(?:export\s++)?(?P<name>[\w.]++)(?:\s*+=|:\s)", re.ASCII)
_OPENING = re.compile(r"\s*+(?P<quote>['\"])", re.ASCII)
_NOTHING_MORE = re.compile(r"[^\S\n]*+(?:#|\n|\Z)", re.ASCII)
_BARE = re.compile(r"[^#\n]*+")
_REST = re.compile(r"[^\n]*+")
_STRIPPED = "\0\t\n\v\f\r "


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `NAME=value` as it is written."""

    name: str
    line: int
    text: str = field(repr=False)
    """The value without its quotes; escapes and variables are still in it."""
    quote: str = ""
    """The quote around it, or nothing."""
    is_cut: bool = field(default=False, compare=False)
    """Whether a `#` ends what looks like an unquoted URL; it would begin a comment only after whitespace in a shell."""
    source: str = field(default="", repr=False, compare=False)
    """The whole assignment as it is written, without a comment behind it."""
    file: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}, line {self.line}"


Assignments = Sequence[Assignment]


def parse(text: str, file: Path | str = "") -> Assignments:
    """Return the assignments of a dotenv file in their order; of several for one name, the last one counts.

    A byte order mark before them is left out.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return tuple(_assignments(plain, str(file)))


def merge(documents: Iterable[Assignments]) -> Assignments:
    """Return the assignments of several files as of one: the first file that sets a name wins."""
    merged: list[Assignment] = []
    for document in documents:
        names = {assignment.name for assignment in merged}
        merged += [assignment for assignment in document if assignment.name not in names]
    return merged


def _assignments(source: str, file: str) -> Iterator[Assignment]:
    line, position = 1, 0
    while (start := _end(_WHITESPACE, source, position)) < len(source):
        line += source.count("\n", position, start)
        end = start
        if head := _HEAD.match(source, start):
            end = _value_end(source, head.end())
            text, quote = _unquoted(source[head.end() : end])
            is_cut = not quote and "://" in text and source.startswith("#", end) and not source[end - 1].isspace()
            yield Assignment(head["name"], line, text, quote, is_cut=is_cut, source=source[start:end], file=file)
        position = _end(_REST, source, end)
        line += source.count("\n", start, position)


def _value_end(source: str, start: int) -> int:
    """Return the end of the value that begins at `start`, its quotes included."""
    opening = _OPENING.match(source, start)
    closing = _closing(source, opening.end(), opening["quote"]) if opening else None
    return _end(_BARE, source, start) if closing is None else closing


def _closing(source: str, start: int, quote: str) -> int | None:
    """Return the end of the quoted value that begins at `start`, behind its quote; None if it does not end.

    The last quote that can end it does: the first one without a backslash, or one with a backslash before that.
    """
    candidates = []
    position = source.find(quote, start)
    while position >= 0:
        candidates.append(position + 1)
        if source[position - 1] != "\\":
            break
        position = source.find(quote, position + 1)
    return next((end for end in reversed(candidates) if _NOTHING_MORE.match(source, end)), None)


def _unquoted(value: str) -> tuple[str, str]:
    value = value.strip(_STRIPPED)
    if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
        return value[1:-1], value[0]
    return value, ""


def _end(pattern: re.Pattern[str], source: str, position: int) -> int:
    match = pattern.match(source, position)
    return position if match is None else match.end()
