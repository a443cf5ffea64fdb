"""The few words of Ruby in which Mastodon and its forks write their version down; nothing is executed.

Known are literals, the file's own methods and constants, interpolation, arrays, `ENV`, `Rails.configuration`, `||`,
`+`, `=`, `<<`, a trailing `if` or `unless`, and the methods of `ruby_values.call`. Everything else is an
`UnreadableError`: a guess could be a version that is not installed. Work is bounded in steps, depth and length.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from mastodon_update_check.domain.text import clean
from mastodon_update_check.mastodon.ruby_source import not_understood, tokenise
from mastodon_update_check.mastodon.ruby_values import (
    Rails,
    UnreadableError,
    Value,
    append,
    as_text,
    call,
    is_true,
    join,
)

STEPS = 2_000
DEPTH = 25
ENVIRONMENT_PREFIX = "MASTODON_VERSION_"
"""Other variables count as unset: a version is told to the update server, and they are none of its business."""

_INTERPOLATION = re.compile(r"#\{([^{}]*)\}")
_WORDS: Mapping[str, Value] = {"nil": None, "true": True, "false": False, "Rails": Rails()}

# A value that is worked out only where Ruby would do it: the right side of `||` may be beyond us, and yet not needed.
_Thunk = Callable[[], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What expressions can refer to."""

    environment: Mapping[str, str] = field(repr=False)
    methods: Mapping[str, str] = field(default_factory=dict)
    """By name, the Ruby of the body."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What lies beneath `Rails.configuration.x.mastodon`, by its names joined with dots."""


def evaluate(source: str, world: World) -> str:
    """Return the text that a piece of Ruby stands for, empty for nil.

    Raises:
        UnreadableError: it uses more of Ruby than is read here, or more than a version may take.
    """
    return as_text(_Piece(_Budget(), world, {}, source).run())


class _Budget:
    def __init__(self) -> None:
        self.steps = STEPS
        self.depth = DEPTH

    def enter(self) -> None:
        self.steps -= 1
        self.depth -= 1
        if self.steps < 0 or self.depth < 0:
            raise UnreadableError("it is too deep or too long, or calls itself")

    def leave(self) -> None:
        self.depth += 1


class _Piece:
    """The body of a method, or an expression: statements, of which the last one is the value."""

    def __init__(self, budget: _Budget, world: World, names: dict[str, Value], source: str) -> None:
        self._budget = budget
        self._world = world
        self._names = names
        self._tokens = tokenise(source)

    def run(self) -> Value:
        value: Value = None
        self._budget.enter()
        while self._tokens:
            if not self._accept("\n", ";"):
                value = self._statement()
        self._budget.leave()
        return value

    def _statement(self) -> Value:
        target, operator = (*self._tokens[:2], "", "")[:2]
        if operator in {"=", "<<"}:
            del self._tokens[:2]
        work = self._expression()
        if (word := self._accept("if", "unless")) and is_true(self._expression()()) != (word == "if"):
            return None
        if self._tokens and self._tokens[0] not in {"\n", ";"}:
            self._fail()
        if operator == "<<":
            return append(self._names.get(target), work())
        value = work()
        if operator == "=":
            self._names[target] = value
        return value

    def _expression(self) -> _Thunk:
        self._budget.enter()
        choices = [self._sum()]
        while self._accept("||"):
            choices.append(self._sum())
        self._budget.leave()
        return choices[0] if len(choices) == 1 else lambda: _first_true(choices)

    def _sum(self) -> _Thunk:
        terms = [self._chain()]
        while self._accept("+"):
            terms.append(self._chain())
        return terms[0] if len(terms) == 1 else lambda: as_text("".join(as_text(term()) for term in terms))

    def _chain(self) -> _Thunk:
        """A value and what is asked of it: `value.method`, `value&.method`, `value[:setting]`."""
        start = self._primary()
        links: list[Callable[[Value], Value]] = []
        while mark := self._accept(".", "&.", "["):
            links.append(self._setting() if mark == "[" else self._method(is_safe=mark == "&."))
        return (lambda: _follow(start(), links)) if links else start

    def _method(self, *, is_safe: bool) -> Callable[[Value], Value]:
        name, separator = self._next(), ""
        if self._accept("(") and not self._accept(")"):
            separator = self._literal()
            self._expect(")")
        if name == "join":
            return lambda value: join(value, separator)
        return lambda value: None if is_safe and value is None else call(value, name)

    def _setting(self) -> Callable[[Value], Value]:
        key = self._next()
        self._expect("]")

        def look_up(value: Value) -> Value:
            if not isinstance(value, Rails) or value.path[:3] != ("configuration", "x", "mastodon"):
                raise UnreadableError(f"[{key}] is asked of something that is not Mastodon's configuration")
            return self._world.settings.get(".".join((*value.path[3:], key.removeprefix(":")))) or None

        return look_up

    def _primary(self) -> _Thunk:
        word = self._next()
        if word.startswith("'"):
            return lambda: word[1:-1]
        if word.startswith('"'):
            return lambda: self._fill(word[1:-1])
        if word.isdigit():
            return lambda: int(word)
        if word == "[":
            items = self._items()
            return lambda: [item() for item in items]
        if word == "ENV":
            return self._environment()
        if not word[0].isidentifier():
            self._fail(word)
        return lambda: self._look_up(word)

    def _items(self) -> list[_Thunk]:
        items: list[_Thunk] = []
        while not self._accept("]"):
            if not self._accept("\n", ","):
                items.append(self._expression())
        return items

    def _environment(self) -> _Thunk:
        """`ENV['NAME']`, `ENV.fetch('NAME', default)` or `ENV.fetch('NAME') { default }`."""
        default: _Thunk | None = None
        if self._accept("["):
            name = self._literal()
            self._expect("]")
        else:
            self._expect(".", "fetch", "(")
            name = self._literal()
            default = self._expression() if self._accept(",") else None
            self._expect(")")
            if self._accept("{"):
                default = self._expression()
                self._expect("}")
        value = self._world.environment.get(name) if name.startswith(ENVIRONMENT_PREFIX) else None
        return default if default and value is None else lambda: value

    def _fill(self, text: str) -> str:
        pieces = _INTERPOLATION.split(text)  # every other one is Ruby
        return as_text("".join(as_text(self._run(each)) if at % 2 else each for at, each in enumerate(pieces)))

    def _run(self, source: str) -> Value:
        return _Piece(self._budget, self._world, self._names, source).run()

    def _look_up(self, name: str) -> Value:
        for known in (self._names, _WORDS):
            if name in known:
                return known[name]
        body = self._world.methods.get(name)
        if body is None:
            raise UnreadableError(f"{clean(name, 40)!r} is not defined there")
        return _Piece(self._budget, self._world, {}, body).run()

    def _literal(self) -> str:
        token = self._next()
        if not token.startswith(("'", '"')) or "#{" in token:
            self._fail(token)
        return token[1:-1]

    def _next(self) -> str:
        return self._tokens.pop(0) if self._tokens else self._fail()

    def _accept(self, *tokens: str) -> str:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in tokens else ""

    def _expect(self, *tokens: str) -> None:
        for token in tokens:
            if not self._accept(token):
                self._fail()

    def _fail(self, token: str = "") -> NoReturn:
        not_understood(token or (self._tokens[0] if self._tokens else "the end"))


def _first_true(choices: list[_Thunk]) -> Value:
    value: Value = None
    for choice in choices:
        value = choice()
        if is_true(value):
            break
    return value


def _follow(value: Value, links: list[Callable[[Value], Value]]) -> Value:
    for link in links:
        value = link(value)
    return value
