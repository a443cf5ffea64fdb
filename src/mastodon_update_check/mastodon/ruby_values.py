"""Ruby's values as far as a version file needs them: what is blank, what is true, and a few methods."""

import json
import re
from dataclasses import dataclass

LENGTH = 1_000
"""Longest text and list: nothing in a version comes near."""


class UnreadableError(Exception):
    """The Ruby is beyond what is read here; the text names the place."""


@dataclass(frozen=True, slots=True)
class Rails:
    """`Rails` and what hangs on it: the names that have been followed."""

    path: tuple[str, ...] = ()


Value = str | int | None | list["Value"] | Rails


def as_text(value: Value) -> str:
    """Return `value` as Ruby's interpolation would, bounded.

    Raises:
        UnreadableError: it is too long, or no text, number or nil.
    """
    if isinstance(value, list | Rails | bool):
        raise UnreadableError("something is used as a text that is none")
    text = "" if value is None else str(value)
    if len(text) > LENGTH:
        raise UnreadableError("a text is too long")
    return text


def is_true(value: Value) -> bool:
    """Whether Ruby takes `value` for true: everything but nil and false, empty texts too."""
    return value is not None and value is not False


def is_blank(value: Value) -> bool:
    """Whether Rails calls `value` blank."""
    return not is_true(value) or value == [] or (isinstance(value, str) and not value.strip())


def join(value: Value, separator: str) -> str:
    """Return `Array#join` of a flat list."""
    return as_text(separator.join(as_text(item) for item in _list(value)))


def call(value: Value, name: str) -> Value:
    """Return `value.name`.

    Raises:
        UnreadableError: a method that is not known here.
    """
    if isinstance(value, Rails):
        return Rails((*value.path, name))
    match name:
        case "presence":
            return None if is_blank(value) else value
        case "present?":
            return not is_blank(value)
        case "blank?":
            return is_blank(value)
        case "compact":
            return [item for item in _list(value) if item is not None]
        case "compact_blank":
            return [item for item in _list(value) if not is_blank(item)]
        case "freeze":
            return value
    return _call_on_text(as_text(value), name)


def _call_on_text(text: str, name: str) -> Value:
    match name:
        case "to_s":
            return text
        case "strip":
            return text.strip()
        case "to_i":
            number = re.match(r"\s*([0-9]{1,9})", text)
            return int(number[1]) if number else 0
        case "to_json":
            return json.dumps(text)
    raise UnreadableError(f"the method {name!r} is not known")


def append(collected: Value, value: Value) -> Value:
    """Return the list to which `<<` has added `value`."""
    items = _list(collected)
    if len(items) >= LENGTH:
        raise UnreadableError("a list is too long")
    items.append(value)
    return items


def _list(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise UnreadableError("something is used as a list that is none")
    return value
