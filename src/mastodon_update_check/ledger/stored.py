"""Values in rows: instants are ISO 8601 in UTC with milliseconds, so that they sort as text; larger values are JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

T = TypeVar("T")
_JSON: Final = frozenset({"arguments", "identities", "notice", "recipient"})
"""Columns that hold JSON."""


class DamagedRowError(Exception):
    """A row holds what this program never wrote: SQLite has no checksums, so a flipped bit may show only here."""


@contextmanager
def reading() -> Iterator[None]:
    """Turn any error while a stored value is read into a `DamagedRowError`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRowError(f"a row in it cannot be read ({type(error).__name__})") from error


def read_row(form: type[T], row: Any, **others: object) -> T:  # noqa: ANN401 - of either library
    """Return the dataclass whose fields are columns of the row; `others` are its other fields."""
    from mastodon_update_check.domain.stored_json import from_json  # not in the resident process

    with reading():
        columns = {name: json.loads(value) if name in _JSON else value for name, value in dict(row).items()}
        known: dict[str, Any] = {
            each.name: from_json(each.type, columns[each.name])
            for each in fields(form)  # type: ignore[arg-type]  # a dataclass, which no type says
            if each.name in columns.keys() - others.keys()
        }
        return form(**known, **others)


def stamp(instant: datetime) -> str:
    """Write an aware instant."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def read_stamp(text: str | None) -> datetime | None:
    """Read back what `stamp` wrote."""
    with reading():
        return None if text is None else datetime.fromisoformat(text)
