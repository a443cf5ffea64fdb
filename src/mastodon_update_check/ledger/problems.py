"""Rows that cannot be read, whatever the engine."""

from collections.abc import Iterator
from contextlib import contextmanager


class DamagedRowError(Exception):
    """A row holds what this program never wrote: SQLite has no checksums, so a flipped bit may show only here."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn any error while a stored value is read into a `DamagedRowError`."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRowError(f"{what} in it cannot be read ({type(error).__name__})") from error
