"""Reader of the Ruby in which Mastodon and its forks write their version down; nothing is executed.

It knows literals, methods and constants of the file, lists, interpolation, `MASTODON_VERSION_…` variables, the settings
`version[:…]`, and a dozen methods. Other Ruby is an `UnreadableError`, because a guess could be a version that is not
installed. Build metadata (behind the first `+`) only is shown, so it is left out where it cannot be read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from mastodon_update_check.domain.text import clean
from mastodon_update_check.mastodon.ruby_values import UnreadableError, Value, as_text, call, is_true

LINE_CHARACTERS = 300
"""A longer line is not read, which bounds the work of every pattern."""
STATEMENT_CHARACTERS = 2_000
"""The same for a list over several lines."""
READ_CHARACTERS = 10_000
"""Most that is read of one file, each call of a method counted again."""
ENVIRONMENT_PREFIX = "MASTODON_VERSION_"
"""Other variables count as unset: the version is sent to the update server, which must not get them."""

_METHOD = re.compile(r"(\s*)def (?:self\.)?(\w+[?!]?)(?:\(\))?\s*(.*)")
_CONSTANT = re.compile(r"\s*([A-Z]\w*)\s*=\s*([^=].*)")
_BLOCK = re.compile(r"(\s*)(?:if|unless|case)\b")
_BRANCH = re.compile(r"\s*(?:else|elsif|when)\b")
_METADATA = re.compile(r"\s*\w+ (?:<<|\+=) ['\"]\+")
_ASSIGNMENT = re.compile(r"\s*(\w+)\s*(=|<<|\+=)\s*(?!=)")
_INTERPOLATION = re.compile(r"#\{([^{}]*)\}")
_CALL = re.compile(r"\s*(&?)\.(\w+\??)(?:\((?:(['\"])([^'\"\\#]*)\3)?\))?")
_TERM = re.compile(
    r"""\s*(?:(?P<number>[0-9]{1,9})\b | '(?P<plain>[^'\\]*)' | "(?P<text>(?:[^"\\#]|\#\{[^{}]*\}|\#(?!\{))*)"
    | (?P<nil>nil|false)\b | (?P<list>\[) | ENV(?:\.fetch\(|\[)['"](?P<variable>\w+)['"]
    | [\w.]*version\w*\[:(?P<setting>\w+)\] | (?P<name>[A-Za-z_]\w*))""",
    re.VERBOSE,
)
_TOO_LONG = "it is too long, or calls itself"
_Names = dict[str, Value | UnreadableError]
"""Local variables; one that could not be read may not be needed."""


def find_methods(source: str) -> dict[str, str]:
    """Return the bodies of a file's methods and constants by name; the last definition of a name counts."""
    found: dict[str, str] = {}
    lines = iter([line if len(line) <= LINE_CHARACTERS else "…" for line in map(str.rstrip, source.splitlines())])
    for line in lines:
        if constant := _CONSTANT.fullmatch(line):
            found[constant[1]] = constant[2]
        elif method := _METHOD.fullmatch(line):
            indent, name, rest = method.groups()
            if rest.startswith("="):
                found[name] = rest[1:]
            else:
                found[name] = "\n".join(iter(lambda: next(lines, f"{indent}end"), f"{indent}end"))  # noqa: B023
    return found


@dataclass(slots=True)
class VersionReader:
    """The values that a file's expressions have under an environment."""

    environment: Mapping[str, str] = field(repr=False)
    methods: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    """The section `version` of `config/mastodon.yml`."""
    _read_characters: int = 0

    def read(self, source: str) -> str:
        """Return the text of a piece of Ruby, empty for nil; raise `UnreadableError` if it uses other parts of Ruby."""
        try:
            return as_text(self.run(source, {}))
        except RecursionError as error:
            raise UnreadableError("it is too deep, or calls itself") from error

    def run(self, source: str, names: _Names) -> Value:
        """Return the value of the last statement."""
        self._read_characters += len(source) + 1
        if self._read_characters > READ_CHARACTERS:
            raise UnreadableError(_TOO_LONG)
        value: Value | UnreadableError = None
        for statement in _statements(source):
            try:
                value = self._statement(statement, names)
            except UnreadableError as error:
                assignment = _ASSIGNMENT.match(statement)
                if assignment is None or not (assignment[2] == "=" or _METADATA.match(statement)):
                    raise
                name = assignment[1]
                if assignment[2] == "=":
                    names[name] = error
                value = names[name] if name in names else self.call(name, names)
        if isinstance(value, UnreadableError):
            raise value
        return value

    def call(self, name: str, names: _Names) -> Value:
        """Return the value of a variable, a method or a constant."""
        if name in names:
            value = names[name]
            if isinstance(value, UnreadableError):
                raise value
            return value
        if name not in self.methods:
            raise UnreadableError(f"{clean(name, 40)!r} is not defined there")
        return self.run(self.methods[name], {})

    def _statement(self, statement: str, names: _Names) -> Value:
        work, _, rest = re.sub(r"\s(if|unless)\s", r"\n\1 ", statement, count=1).partition("\n")
        word, _, condition = rest.partition(" ")
        if word and all(self._holds(part.strip(), names) for part in condition.split("&&")) != (word == "if"):
            return None
        assignment = _ASSIGNMENT.match(work)
        if assignment is None:
            return _Expression(self, work, names).whole()
        target, operator = assignment.groups()
        value = _Expression(self, work[assignment.end() :], names).whole()
        if operator != "=":
            former = self.call(target, names)
            value = [*former, value] if isinstance(former, list) else as_text(former) + as_text(value)
        names[target] = value
        return value

    def _holds(self, condition: str, names: _Names) -> bool:
        value = _Expression(self, condition.removeprefix("!"), names).whole()
        return is_true(value) != condition.startswith("!")


class _Expression:
    """One expression, read from left to right."""

    def __init__(self, reader: VersionReader, source: str, names: _Names) -> None:
        self._reader, self._source, self._names = reader, source, names
        self._at = 0

    def whole(self) -> Value:
        value = self._choice()
        if not self._accept(r"\s*(?:#.*)?\Z"):
            self._fail()
        return value

    def _choice(self) -> Value:
        value = self._sum()
        while self._accept(r"\s*\|\|"):
            if is_true(value):
                self._at = len(self._source)  # the other side is not needed
            else:
                value = self._sum()
        return value

    def _sum(self) -> Value:
        value = self._chain()
        while self._accept(r"\s*\+"):
            value = as_text(value) + as_text(self._chain())
        return value

    def _chain(self) -> Value:
        value = self._primary()
        while method := self._accept(_CALL.pattern):
            value = None if method[1] and value is None else call(value, method[2], method[4] or "")
        return value

    def _primary(self) -> Value:
        term = _TERM.match(self._source, self._at)
        if term is None:
            self._fail()
        self._at = term.end()
        match term.lastgroup:
            case "number" | "plain":
                return term[term.lastgroup]
            case "nil":
                return None
            case "text":
                return self._fill(term["text"])
            case "list":
                return self._items()
            case "variable":
                return self._variable(term["variable"])
            case "setting":
                return self._reader.settings.get(term["setting"]) or None
            case _:
                return self._reader.call(term["name"], self._names)

    def _items(self) -> list[Value]:
        items: list[Value] = []
        while not self._accept(r"[\s,]*\]"):
            self._accept(r"[\s,]*")
            items.append(self._choice())
        return items

    def _variable(self, name: str) -> Value:
        """Read `ENV['NAME']`, `ENV.fetch('NAME', default)` or `ENV.fetch('NAME') { default }` from behind the name."""
        default = self._choice() if self._accept(r"\s*,") else None
        if not self._accept(r"\s*[\])]"):
            self._fail()
        if self._accept(r"\s*\{"):
            default = self._choice()
            if not self._accept(r"\s*\}"):
                self._fail()
        return self._reader.environment.get(name, default) if name.startswith(ENVIRONMENT_PREFIX) else default

    def _fill(self, text: str) -> str:
        filled = ""
        for at, piece in enumerate(_INTERPOLATION.split(text)):  # every other piece is Ruby
            try:
                filled += as_text(self._reader.run(piece, self._names)) if at % 2 else piece
            except UnreadableError:
                if "+" not in filled:
                    raise
                return filled
        return as_text(filled)

    def _accept(self, pattern: str) -> re.Match[str] | None:
        match = re.compile(pattern).match(self._source, self._at)
        self._at = match.end() if match else self._at
        return match

    def _fail(self) -> NoReturn:
        raise UnreadableError(f"{clean(self._source[self._at :].strip() or 'the end', 40)!r} is not understood")


def _statements(source: str) -> Iterator[str]:
    """Yield the lines of a body, lists over several lines as one; a block that only appends metadata is left out."""
    lines = iter(source.splitlines())
    for line in lines:
        if block := _BLOCK.match(line):
            inner = list(iter(lambda: next(lines, f"{block[1]}end"), f"{block[1]}end"))
            if not all(_METADATA.match(each) or _BRANCH.match(each) for each in inner):
                raise UnreadableError(f"{clean(line, 40)!r} is not understood")
            continue
        while line.count("[") > line.count("]") and (further := next(lines, None)):
            line += further  # noqa: PLW2901 - the same statement
            if len(line) > STATEMENT_CHARACTERS:
                raise UnreadableError(_TOO_LONG)
        if line.strip() and not line.lstrip().startswith("#"):
            yield line
