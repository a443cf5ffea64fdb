"""The JSON form in which the ledger keeps values: dataclasses, named tuples, versions, instants, dates and enums.

One of several dataclasses is recognised by its class attribute `kind`, which is stored with its fields. Names that are
not known here were written by another version of this program: they are left out.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, cast, get_args, get_origin

from mastodon_update_check.domain.versions import MastodonVersion

NAME = "stored_name"
"""Key of a field's metadata: the name under which it is stored, if that is another one."""
_PLAIN = frozenset({str, int, float, bool})


def to_json(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return the form in which the ledger keeps a value; `from_json` reads it back."""
    match value:
        case MastodonVersion():
            return value.stored
        case date():
            return value.isoformat()
        case tuple():
            return [to_json(each) for each in value]
        case Mapping():
            return {str(key): to_json(each) for key, each in value.items()}
        case _ if named := _fields(cast("Any", type(value))):
            tag = {} if (kind := getattr(value, "kind", None)) is None else {"kind": kind}
            return tag | {stored: to_json(getattr(value, name)) for name, stored, _ in named}
        case _:
            return value


def from_json(form: Any, data: Any) -> Any:  # noqa: ANN401 - JSON, and any type with this form
    """Read back what `to_json` wrote, as a value of the type `form`.

    Raises `ValueError`, `KeyError`, `TypeError` or `AttributeError` if `data` does not have this form.
    """
    if form in _PLAIN:
        return bool(data) if form is bool else data  # SQLite keeps 0 and 1
    if arguments := get_args(form):
        return _read_generic(get_origin(form), arguments, data)
    if form is MastodonVersion:
        return MastodonVersion.parse(data)
    if issubclass(form, date):
        return form.fromisoformat(data)
    if issubclass(form, Enum):
        return form(data)
    if issubclass(form, tuple):
        return form(*map(from_json, form.__annotations__.values(), data))
    if named := _fields(form):
        found = {**data}  # a TypeError for anything but an object
        return form(**{name: from_json(kind, found[stored]) for name, stored, kind in named if stored in found})
    return data


def _read_generic(origin: object, arguments: tuple[Any, ...], data: Any) -> Any:  # noqa: ANN401 - as above
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(from_json(arguments[0], each) for each in data)
        return tuple(map(from_json, arguments, data))
    if origin is Mapping:
        return {from_json(arguments[0], key): from_json(arguments[1], each) for key, each in data.items()}
    if data is None and NoneType in arguments:
        return None
    one, *others = (form for form in arguments if form is not NoneType)
    return from_json({form.kind: form for form in (one, *others)}[data["kind"]] if others else one, data)


@cache
def _fields(form: type) -> tuple[tuple[str, str, Any], ...]:
    """Return name, stored name and type of each field; nothing for a type without fields."""
    found = fields(form) if is_dataclass(form) else ()
    return tuple((each.name, each.metadata.get(NAME, each.name), each.type) for each in found)
