r"""Dotenv files, as Ruby's dotenv 2 and 3 read them; nothing is ever executed.

An assignment begins on a line of its own: whitespace, perhaps `export`, a name, `=` (or a colon and a space), a value.

- A value in quotes ends at a quote that only whitespace and a comment follow. A backslash keeps a quote from ending
  it, if a later quote can. It may span lines.
- Any other value ends at the first `#`, even inside a word, or with its line; whitespace around it is dropped.
- Whitespace before `=`, and between `=` and a quote, may include newlines.
- A line that is not an assignment has no effect.

Its value is expanded, except in single quotes:

- A backslash is dropped and the next character is kept, except before `$`. `\n` and `\r` in double quotes stay.
- `$NAME` and `${NAME}` are replaced: from the environment, or else from above in the file, or else by nothing; `\$` is
  `$`. The replacement is not searched for variables again, but it is for commands.
- `$(…)` would be executed by Ruby; here such a value is a defect. `\$(…)` is text.

Ruby parses with one backtracking expression. This scanner reads each character a few times at most, so that no file can
make it slow. Only the requested values are expanded, with those that they refer to: a few lines can expand to
gigabytes.
"""

import errno
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from mastodon_update_check.config.settings import MASTODON_FILES
from mastodon_update_check.config.variables import FILE_BYTES, VALUE_BYTES, size_bytes
from mastodon_update_check.domain.text import clean
from mastodon_update_check.files import ForeignDirectory

USUAL_FILE: Final = ".env.production"

_WHITESPACE = re.compile(r"\s*+", re.ASCII)
_HEAD = re.compile(r"(?:export\s++)?(?P<name>[\w.]++)(?:\s*+=|:\s)", re.ASCII)
_OPENING = re.compile(r"\s*+(?P<quote>['\"])", re.ASCII)
_NOTHING_MORE = re.compile(r"[^\S\n]*+(?:#|\n|\Z)", re.ASCII)
_BARE = re.compile(r"[^#\n]*+")
_REST = re.compile(r"[^\n]*+")
_STRIPPED = "\0\t\n\v\f\r "
_ESCAPE = re.compile(r"\\([^$])")
_REFERENCE = re.compile(r"(?P<escape>\\)?\$(?!\()\{?(?P<name>[A-Za-z0-9_]++)?\}?")
_PARENTHESES = r"\([^()]++\)"
for _ in range(5):  # as deep as commands are nested; Ruby's expression is recursive
    _PARENTHESES = rf"\((?:[^()]++|{_PARENTHESES})+\)"  # not possessive: Python before 3.11.5 takes such groups wrongly
_COMMAND = re.compile(rf"(?P<escape>\\)?\${_PARENTHESES}")
_MOST_COMMANDS: Final = 100
"""More of them in one value are refused: each one is searched to the end of the value."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `NAME=value` as it is written."""

    name: str
    line: int
    text: str = field(repr=False)
    """The value without its quotes; escapes and variables are still in it."""
    quote: str = ""
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


@dataclass(frozen=True, slots=True)
class EnvFiles:
    """Mastodon's files of settings, read as one document: the first file that sets a name wins."""

    paths: tuple[Path, ...] = ()
    """Those that were read, the one with precedence first."""
    assignments: Assignments = field(default=(), repr=False)
    errors: Mapping[Path, OSError | ValueError] = field(default_factory=dict)

    @property
    def names(self) -> str:
        """The paths, as a part of a sentence."""
        return " and ".join(clean(str(path)) for path in self.paths or self.errors)


def parse(text: str, file: Path | str = "") -> Assignments:
    """Return the assignments of a dotenv file in their order; of several for one name, the last one counts.

    A byte order mark before them is left out.
    """
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return tuple(_assignments(plain, str(file)))


def read_rails_files(root: Path, place: Path | None = None, trusted_uid: int = 0) -> EnvFiles:
    """Return the files that Rails loads from its root, which is really at `place`; no error is raised.

    A file that is missing is left out, unless all of them are.
    """
    assignments: list[Assignment] = []
    paths, errors = [], dict[Path, OSError | ValueError]()
    try:
        with ForeignDirectory((place or root).absolute(), trusted_uid) as directory:
            for path in (root / name for name in MASTODON_FILES):
                try:
                    document = parse(directory.read_secrets(path.name, FILE_BYTES), path)
                    names = {assignment.name for assignment in assignments}
                    assignments += [assignment for assignment in document if assignment.name not in names]
                    paths.append(path)
                except FileNotFoundError:
                    continue
                except (OSError, ValueError) as error:
                    errors[path] = error
    except OSError as error:
        errors[root / USUAL_FILE] = error
    if not paths and not errors:
        errors[root / USUAL_FILE] = FileNotFoundError(errno.ENOENT, "no such file or directory")
    return EnvFiles(tuple(paths), tuple(assignments), errors)


class Defect(Enum):
    """Why a value cannot be used; the text continues a sentence after the variable's name and place."""

    COMMAND = "expected plain text, got $(…), which is never executed: write its result instead"
    TOO_LONG = f"expected at most {VALUE_BYTES} bytes after its variables are replaced, got more"
    TOO_MUCH = f"expected at most {FILE_BYTES} bytes in all values of this file together, got more"


def expand(assignments: Assignments, wanted: Collection[str], environ: Mapping[str, str]) -> dict[str, str | Defect]:
    """Return the values of the `wanted` names that are assigned; `environ` is for `$NAME` in them."""
    values: dict[str, str | Defect] = {}
    budget = FILE_BYTES
    for assignment in needed(assignments, wanted, environ):
        value = _value(assignment, environ, values) if budget > 0 else Defect.TOO_MUCH
        values[assignment.name] = value
        budget -= VALUE_BYTES if isinstance(value, Defect) else size_bytes(value)
    return {name: value for name, value in values.items() if name in wanted}


def needed(assignments: Assignments, wanted: Collection[str], environ: Mapping[str, str]) -> list[Assignment]:
    """Return the assignments that the wanted values are made of, in the order of the file."""
    names = set(wanted)
    found = []
    for assignment in reversed(assignments):
        if assignment.name not in names:
            continue
        found.append(assignment)
        names.discard(assignment.name)
        if assignment.quote != "'":
            references = _REFERENCE.finditer(_unescaped(assignment))
            names.update(match["name"] for match in references if match["name"] and match["name"] not in environ)
    return found[::-1]


def _value(assignment: Assignment, environ: Mapping[str, str], values: Mapping[str, str | Defect]) -> str | Defect:
    text = assignment.text
    if assignment.quote != "'":
        unescaped, pieces, size, position = _unescaped(assignment), [], 0, 0
        for match in _REFERENCE.finditer(unescaped):
            piece = _replacement(match, environ, values)
            if isinstance(piece, Defect):
                return piece
            pieces += [unescaped[position : match.start()], piece]
            position = match.end()
            size += len(pieces[-1]) + len(pieces[-2])
            if size > VALUE_BYTES:
                return Defect.TOO_LONG
        text = "".join([*pieces, unescaped[position:]])
        if text.count("$(") > _MOST_COMMANDS or any(not match["escape"] for match in _COMMAND.finditer(text)):
            return Defect.COMMAND
        text = _COMMAND.sub(lambda match: match[0][1:], text)
    return text if size_bytes(text) <= VALUE_BYTES else Defect.TOO_LONG


def _unescaped(assignment: Assignment) -> str:
    text = assignment.text
    if assignment.quote == '"':
        text = text.replace(r"\n", r"\\n").replace(r"\r", r"\\r")  # so that the next line leaves them alone
    return _ESCAPE.sub(r"\1", text)


def _replacement(match: re.Match[str], environ: Mapping[str, str], values: Mapping[str, str | Defect]) -> str | Defect:
    if match["escape"]:
        return match[0][1:]
    if match["name"]:
        name = match["name"]
        return environ[name] if name in environ else values.get(name, "")
    return match[0]


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
