r"""Files that a unit of Mastodon's names by `EnvironmentFile=`, as systemd reads them (systemd.exec(5)).

For Mastodon they have precedence over its own files of settings. They are not dotenv: `$` has no meaning, `#` begins a
comment only at the beginning of a line, and a backslash escapes the next character; before a newline, it joins lines.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config.dotenv import parse
from mastodon_update_check.config.expansion import expand
from mastodon_update_check.config.found import FILE_BYTES
from mastodon_update_check.config.names import is_taken_from_mastodon
from mastodon_update_check.files.foreign import ForeignDirectory, describe
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.install.texts import PATH

_HEAD: Final = re.compile(r"[ \t\r\n]*+(?:[#;][^\n]*+|(?P<name>[^\n][^=\n]*+)(?P<sign>=)?+)")
_QUOTED: Final = re.compile(r"""[ \t\r]*+(?:'([^']*+)'?+|"((?:[^"\\]|\\.)*+)\\?+"?+)""", re.DOTALL)
_BARE: Final = re.compile(r"(?:[^\\\n]|\\.)*+", re.DOTALL)
_WHITESPACE: Final = " \t\r"
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_IN_QUOTES: Final = frozenset('"\\`$')
"""Characters that lose their backslash between double quotes; before any other, it stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """A file that a unit of Mastodon's names by `EnvironmentFile=`."""

    path: Path
    is_optional: bool = False
    """Whether it may be missing."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Its needed variables, possibly with secrets."""
    problem: str = ""
    """Why it could not be read."""


def examine_file(machine: Machine, file: EnvironmentFile) -> EnvironmentFile:
    """Return it with the variables that this program would take, or with the reason why it could not be read."""
    if not PATH.fullmatch(str(file.path)):
        return replace(file, problem="its path holds signs that setup does not handle, such as * for several files")
    try:
        with ForeignDirectory(machine.real(file.path.parent), machine.root_uid) as directory:
            text = directory.read_secrets(file.path.name, FILE_BYTES)
    except FileNotFoundError as error:
        return file if file.is_optional else replace(file, problem=describe(error))
    except (OSError, ValueError) as error:
        return replace(file, problem=describe(error))
    found = {name: value for name, value in _assignments(text) if is_taken_from_mastodon(name)}
    return replace(file, variables=MappingProxyType(found))


def as_dotenv(variables: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return lines for a dotenv file, and the names of those whose values no such line can hold."""
    lines = {name: _line(name, text) for name, text in variables.items()}
    return "".join(filter(None, lines.values())), tuple(name for name, line in lines.items() if not line)


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while head := _HEAD.match(text, position):
        position = head.end()
        if head["sign"]:
            value, position = _value(text, position)
            yield head["name"].strip(), value
        if position >= len(text):
            return


def _value(text: str, position: int) -> tuple[str, int]:
    """Return a value, and where it ends: quoted pieces, then perhaps one without quotes up to the line's end."""
    pieces = []
    while quoted := _QUOTED.match(text, position):
        pieces.append(quoted[1] if quoted[2] is None else _ESCAPED.sub(_unescape_quoted, quoted[2]))
        position = quoted.end()
    bare = _BARE.match(text, position)
    end = position if bare is None else bare.end()
    pieces.append(_ESCAPED.sub(_unescape_bare, _trimmed(text[position:end])))
    return "".join(pieces), end


def _trimmed(text: str) -> str:
    """Return it without surrounding whitespace, except an escaped space."""
    text = text.lstrip(_WHITESPACE)
    kept = text.rstrip(_WHITESPACE)
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return text[: len(kept) + backslashes % 2]


def _unescape_bare(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def _unescape_quoted(match: re.Match[str]) -> str:
    if match[1] == "\n":
        return ""
    return match[1] if match[1] in _IN_QUOTES else match[0]


def _line(name: str, text: str) -> str:
    """Return the line that is read as this value; nothing if there is none."""
    escaped = re.sub(r'(["$])', r"\\\1", text)
    for quoted in (f"'{text}'", f'"{escaped}"'):
        line = f"{name}={quoted}\n"
        is_closed = not text.endswith("\\")  # else the quote would not end it, but one on a later line could
        if is_closed and expand(parse(line), {name}, {}) == {name: text}:
            return line
    return ""
