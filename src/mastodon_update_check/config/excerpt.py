"""The lines of Mastodon's file of settings that this program needs, and no others: root copies them for the service.

They are copied as they are written; the service interprets them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import Document, parse
from mastodon_update_check.config.expansion import expand, needed
from mastodon_update_check.config.found import FILE_BYTES
from mastodon_update_check.config.names import is_taken_from_mastodon
from mastodon_update_check.files.own import read_own

LOGINS: Final = frozenset({"DATABASE_URL", "DB_PASS"})
"""Mastodon's own login to its database, which may do everything: left out where another one is configured."""


def excerpt(text: str, *, with_login: bool) -> str:
    """Return the needed lines of `text`, with those that they refer to.

    Args:
        text: Mastodon's file.
        with_login: whether Mastodon's own login to its database is needed.
    """
    document = parse(text)
    names = {assignment.name for assignment in document.assignments}
    wanted = {name for name in names if is_taken_from_mastodon(name) and (with_login or name not in LOGINS)}
    return "".join(f"{assignment.source}\n" for assignment in needed(document, wanted, {}))


def values(text: str) -> dict[str, str]:
    """Return the values that this program would take from Mastodon's file; unusable ones are left out."""
    document = parse(text)
    wanted = {assignment.name for assignment in document.assignments if is_taken_from_mastodon(assignment.name)}
    return dict(_usable(document, wanted))


def own_values(path: Path, names: frozenset[str]) -> dict[str, str]:
    """Return those of some variables that our own file sets; nothing when it cannot be read."""
    try:
        document = parse(read_own(path, FILE_BYTES))
    except (OSError, ValueError):  # reported when all of it is read
        return {}
    return {name: text for name, text in _usable(document, names) if text.strip()}


def _usable(document: Document, wanted: set[str] | frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, text in expand(document, wanted, {}).items():
        if isinstance(text, str):
            yield name, text
