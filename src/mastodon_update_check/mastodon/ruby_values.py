"""The values of Ruby that a version file needs: what is true, what is blank, and a dozen methods."""

import json
import re

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


def append(collected: Value, value: Value) -> Value:
    """Return a list or a text with `value` behind it."""
    return [*collected, value] if isinstance(collected, list) else as_text(collected) + as_text(value)


def call(value: Value, name: str, argument: str) -> Value:
    """Return `value.name(argument)`."""
    if name in {"compact", "compact_blank", "join"} and not isinstance(value, list):
        raise UnreadableError("a text is used as a list")
    items = value if isinstance(value, list) else []
    match name:
        case "presence":
            return None if _is_blank(value) else value
        case "present?" | "blank?":
            return _is_blank(value) == (name == "blank?")
        case "freeze":
            return value
        case "compact":
            return [item for item in items if item is not None]
        case "compact_blank":
            return [item for item in items if not _is_blank(item)]
        case "join":
            return as_text(argument.join(map(as_text, items)))
    return _call_on_text(as_text(value), name)


def _call_on_text(text: str, name: str) -> str:
    match name:
        case "to_s":
            return text
        case "strip":
            return text.strip()
        case "to_i":
            number = re.match(r"\s*([0-9]{1,9})", text)
            return str(int(number[1])) if number else "0"
        case "to_json":
            return json.dumps(text)
    raise UnreadableError(f"the method {name!r} is not known")
