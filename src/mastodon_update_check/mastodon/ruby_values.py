"""The values of Ruby that a version file needs: what is true, what is blank, and a dozen methods."""

import json
import re
from collections.abc import Callable, Mapping

TEXT_CHARACTERS = 1_000


class UnreadableError(Exception):
    """The Ruby cannot be read; the text names the place."""


Value = str | bool | None | list["Value"]


def as_text(value: Value) -> str:
    """Return `value` as Ruby's interpolation would."""
    if isinstance(value, list | bool):
        raise UnreadableError("a list or a condition is used as a text")
    if value is not None and len(value) > TEXT_CHARACTERS:
        raise UnreadableError("a text is too long")
    return value or ""


def is_true(value: Value) -> bool:
    """Return whether `value` is true in Ruby: everything but nil and false is, also an empty text."""
    return value is not None and value is not False


def _is_blank(value: Value) -> bool:
    return not is_true(value) or value == [] or (isinstance(value, str) and not value.strip())


def _to_i(text: str) -> str:
    number = re.match(r"\s*([0-9]{1,9})", text)
    return str(int(number[1])) if number else "0"


_OF_TEXT: Mapping[str, Callable[[str], str]] = {"to_s": str, "strip": str.strip, "to_i": _to_i, "to_json": json.dumps}


def call(value: Value, name: str, argument: str) -> Value:
    """Return `value.name(argument)`."""
    match name, value:
        case "presence", _:
            return None if _is_blank(value) else value
        case "present?" | "blank?", _:
            return _is_blank(value) == (name == "blank?")
        case "freeze", _:
            return value
        case "compact", list():
            return [item for item in value if item is not None]
        case "compact_blank", list():
            return [item for item in value if not _is_blank(item)]
        case "join", list():
            return as_text(argument.join(map(as_text, value)))
    if name not in _OF_TEXT:
        raise UnreadableError(f"the method {name!r} is not known")
    return _OF_TEXT[name](as_text(value))
