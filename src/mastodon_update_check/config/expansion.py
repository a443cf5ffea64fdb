r"""The values of a dotenv file, as Ruby's dotenv expands them; nothing is ever executed.

- In single quotes nothing is changed.
- Otherwise a backslash is dropped and the next character is kept, except before `$`. `\n` and `\r` in double quotes
  stay as they are.
- `$NAME` and `${NAME}` are replaced: from the environment, or else from above in the file, or else by nothing; `\$` is
  `$`. The replacement is not searched for variables again, but it is for commands.
- `$(…)` would be executed by Ruby; here such a value is a defect. `\$(…)` is text.

Only the requested values are expanded, with those that they refer to: a few lines can expand to gigabytes.
"""

import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Final

from mastodon_update_check.config.dotenv import Assignment, Assignments
from mastodon_update_check.config.found import FILE_BYTES, VALUE_BYTES, size_bytes

_ESCAPE = re.compile(r"\\([^$])")
_REFERENCE = re.compile(r"(?P<escape>\\)?\$(?!\()\{?(?P<name>[A-Za-z0-9_]++)?\}?")
_PARENTHESES = r"\([^()]++\)"
for _ in range(5):  # as deep as commands are nested; Ruby's expression is recursive
    _PARENTHESES = rf"\((?:[^()]++|{_PARENTHESES})+\)"  # not possessive: Python before 3.11.5 takes such groups wrongly
_COMMAND = re.compile(rf"(?P<escape>\\)?\${_PARENTHESES}")
_MOST_COMMANDS: Final = 100
"""More of them in one value are refused: each one is searched to the end of the value."""


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
        if budget <= 0:
            values[assignment.name] = Defect.TOO_MUCH
            continue
        value = _value(assignment, environ, values)
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
    value: str | Defect = assignment.text
    if assignment.quote != "'":
        value = _substituted(_unescaped(assignment), environ, values)
        if not isinstance(value, Defect):
            value = _without_commands(value)
    if isinstance(value, str) and size_bytes(value) > VALUE_BYTES:
        return Defect.TOO_LONG
    return value


def _unescaped(assignment: Assignment) -> str:
    text = assignment.text
    if assignment.quote == '"':
        text = text.replace(r"\n", r"\\n").replace(r"\r", r"\\r")  # so that the next line leaves them alone
    return _ESCAPE.sub(r"\1", text)


def _substituted(text: str, environ: Mapping[str, str], values: Mapping[str, str | Defect]) -> str | Defect:
    pieces, size, position = [], 0, 0
    for match in _REFERENCE.finditer(text):
        piece = _replacement(match, environ, values)
        if isinstance(piece, Defect):
            return piece
        pieces += [text[position : match.start()], piece]
        position = match.end()
        size += len(pieces[-1]) + len(pieces[-2])
        if size > VALUE_BYTES:
            return Defect.TOO_LONG
    return "".join([*pieces, text[position:]])


def _replacement(match: re.Match[str], environ: Mapping[str, str], values: Mapping[str, str | Defect]) -> str | Defect:
    if match["escape"]:
        return match[0][1:]
    if match["name"]:
        name = match["name"]
        return environ[name] if name in environ else values.get(name, "")
    return match[0]


def _without_commands(text: str) -> str | Defect:
    """Return `text` without the backslashes before commands; a command without one is a defect."""
    if text.count("$(") > _MOST_COMMANDS or any(not match["escape"] for match in _COMMAND.finditer(text)):
        return Defect.COMMAND
    return _COMMAND.sub(lambda match: match[0][1:], text)
