"""The update server's answer, read field by field; a bad field is left out with a warning that names its path."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

from mastodon_update_check.domain.notices import UpdateNotice, UpdateType
from mastodon_update_check.domain.text import clean, count, cut_warnings
from mastodon_update_check.domain.urls import URL_CHARACTERS, is_printable_url
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError

MAXIMUM_ENTRIES = 1_000
VALUE_CHARACTERS_SHOWN = 40
STALE = timedelta(days=1)

_T = TypeVar("_T")
_Form = tuple[Callable[[str], _T], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One answer of the update server."""

    updates: tuple[UpdateNotice, ...]
    is_complete: bool = True
    """Whether it has a list and every entry could be read: only then a release that is missing counts as withdrawn."""
    ends_on: date | None = None
    """When support of the branch that was asked about ends; None when it did not say."""
    warnings: tuple[str, ...] = ()


def parse_feed(document: object) -> Feed:
    """Read the update server's JSON document; raise `CheckError` if it is not one, or no entry can be read."""
    if not isinstance(document, dict):
        raise CheckError(Cause.CONTENT, f"the update server's answer: expected an object, got {_show(document)}")
    warnings: list[str] = []
    entries = document.get("updatesAvailable")
    read = [] if entries is None else _parse_entries(entries, warnings)
    if entries and not read:
        raise CheckError(
            Cause.CONTENT,
            f"the update server lists no release of Mastodon ({warnings[0]}): expected "
            "UPDATE_CHECK_URL=https://api.joinmastodon.org/update-check",
        )
    if entries is None:
        warnings.append("updatesAvailable is missing: whether there are updates stays unknown")
    current = document.get("currentVersion")
    if current is not None and not isinstance(current, dict):
        warnings.append(f"currentVersion is ignored: expected an object, got {_show(current)}")
        current = None
    return Feed(
        updates=_merge(read),
        is_complete=entries is not None and len(read) == len(entries),
        ends_on=_read(current or {}, "endOfSupport", _DATE, "currentVersion", warnings),
        warnings=cut_warnings(warnings),
    )


def newer_updates(feed: Feed, installed: MastodonVersion) -> tuple[UpdateNotice, ...]:
    """Return the updates newer than `installed`, in order, with types; pre-releases only for a server with one."""
    return tuple(
        update if update.type else replace(update, type=UpdateType.between(installed, update.version))
        for update in sorted(feed.updates, key=lambda update: update.version)
        if update.version > installed and (installed.is_prerelease or not update.version.is_prerelease)
    )


def _parse_entries(entries: object, warnings: list[str]) -> list[UpdateNotice]:
    if not isinstance(entries, list):
        raise CheckError(Cause.CONTENT, f"the update server's updatesAvailable: expected a list, got {_show(entries)}")
    if len(entries) > MAXIMUM_ENTRIES:
        raise CheckError(Cause.CONTENT, f"the update server lists {len(entries)} updates, more than {MAXIMUM_ENTRIES}")
    read = (_parse_entry(entry, f"updatesAvailable[{number}]", warnings) for number, entry in enumerate(entries))
    return [notice for notice in read if notice is not None]


def _parse_entry(entry: object, path: str, warnings: list[str]) -> UpdateNotice | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("version"), str):
        warnings.append(f"{path} is left out: expected an object with a version, got {_show(entry)}")
        return None
    try:
        version = MastodonVersion.parse_published(entry["version"])
    except InvalidVersionError as error:
        warnings.append(f"{path}.version is left out: {error}")
        return None
    urgent = entry.get("urgent", False)
    if not isinstance(urgent, bool):
        warnings.append(f"{path}.urgent counts as true: expected true or false, got {_show(urgent)}")
    return UpdateNotice(
        version=version,
        urgent=urgent is not False,
        type=_read(entry, "type", _TYPE, path, warnings),
        release_notes=_read(entry, "releaseNotes", _URL, path, warnings) or "",
        end_of_support_on=_read(entry, "endOfSupport", _DATE, path, warnings),
    )


def _read(fields: dict[str, object], name: str, form: _Form[_T], path: str, warnings: list[str]) -> _T | None:
    """Return the value of a field; None when it is absent or blank, and, with a warning, when it cannot be read."""
    value, (read, expected) = fields.get(name), form
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    with suppress(ValueError):
        if isinstance(value, str):
            return read(value.strip())
    warnings.append(f"{path}.{name} is ignored: expected {expected}, got {_show(value)}")
    return None


def _read_url(text: str) -> str:
    if not is_printable_url(text):
        raise ValueError(text)
    return text


_TYPE = UpdateType, "patch, minor or major"
_URL = _read_url, f"an http or https URL of at most {URL_CHARACTERS} characters"
_DATE = (lambda text: datetime.fromisoformat(text).date()), "a date"
"""Of a timestamp the written date counts."""


def _show(value: object) -> str:
    return clean(json.dumps(value), VALUE_CHARACTERS_SHOWN)


def _merge(updates: Iterable[UpdateNotice]) -> tuple[UpdateNotice, ...]:
    """Keep the first of entries that name the same version; it is urgent if one of them is."""
    merged: dict[MastodonVersion, UpdateNotice] = {}
    for update in updates:
        first = merged.get(update.version, update)
        merged[update.version] = replace(first, urgent=first.urgent or update.urgent)
    return tuple(merged.values())


def describe_staleness(headers: Mapping[str, str], now: datetime) -> str:
    """Return a sentence about an answer that is a day old or older by its header `Date`; empty for any other."""
    try:
        dated_at = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return ""
    age = now - (dated_at if dated_at.tzinfo else dated_at.replace(tzinfo=UTC))
    if age < STALE:
        return ""
    old = f"{count(age.days, 'day')} old by its header Date, so that newer releases may be missing"
    return f"the update server's answer is stale: {old}; a cache or proxy keeps it (or this machine's clock is ahead)"
