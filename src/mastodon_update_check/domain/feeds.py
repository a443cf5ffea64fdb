"""The update server's answer, read field by field; a bad field is left out with a warning that names its path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from mastodon_update_check.domain.notices import UpdateNotice, UpdateType
from mastodon_update_check.domain.text import clean, count, cut_warnings
from mastodon_update_check.domain.urls import URL_CHARACTERS, is_printable_url
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError

MAXIMUM_ENTRIES = 1_000
DATE_CHARACTERS_SHOWN = 40
STALE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One answer of the update server."""

    updates: tuple[UpdateNotice, ...] | None
    """The listed updates, one entry a version; None when it gave no list, which is not an answer."""
    is_complete: bool = True
    """Whether every entry could be read: only then does a release that is missing count as withdrawn."""
    ends_on: date | None = None
    """When support of the branch that was asked about ends; None when it did not say."""
    warnings: tuple[str, ...] = ()


def parse_feed(document: object) -> Feed:
    """Read an answer: the JSON document that the update server sent.

    Raises:
        CheckError: the document is not an object, `updatesAvailable` is not a list, it lists more than 1,000 entries,
            or none of its entries can be read.
    """
    if not isinstance(document, dict):
        raise CheckError(Cause.CONTENT, f"the update server's answer is {_kind(document)}, not an object")
    warnings: list[str] = []
    entries = document.get("updatesAvailable")
    read = None if entries is None else _parse_entries(entries, warnings)
    if entries and not read:
        raise CheckError(
            Cause.CONTENT,
            f"the update server lists no release of Mastodon ({warnings[0]}): expected "
            "UPDATE_CHECK_URL=https://api.joinmastodon.org/update-check",
        )
    if read is None:
        warnings.append("updatesAvailable is missing: whether there are updates stays unknown")
    current = document.get("currentVersion")
    if current is not None and not isinstance(current, dict):
        warnings.append(f"currentVersion is ignored: {_kind(current)}, not an object")
        current = None
    return Feed(
        updates=None if read is None else _merge(read),
        is_complete=len(read or ()) == len(entries or ()),
        ends_on=_parse_date((current or {}).get("endOfSupport"), "currentVersion.endOfSupport", warnings),
        warnings=cut_warnings(warnings),
    )


def newer_updates(feed: Feed, installed: MastodonVersion) -> tuple[UpdateNotice, ...]:
    """Return the updates that concern a server running `installed`, in order, each with its type.

    A pre-release concerns only a server that runs one.
    """
    return tuple(
        update if update.type else replace(update, type=UpdateType.between(installed, update.version))
        for update in sorted(feed.updates or (), key=lambda update: update.version)
        if update.version > installed and (installed.is_prerelease or not update.version.is_prerelease)
    )


def _parse_entries(entries: object, warnings: list[str]) -> list[UpdateNotice]:
    if not isinstance(entries, list):
        raise CheckError(
            Cause.CONTENT, f"updatesAvailable in the update server's answer is {_kind(entries)}, not a list"
        )
    if len(entries) > MAXIMUM_ENTRIES:
        raise CheckError(
            Cause.CONTENT, f"the update server lists {len(entries)} updates, more than the {MAXIMUM_ENTRIES} allowed"
        )
    read = (_parse_entry(entry, f"updatesAvailable[{number}]", warnings) for number, entry in enumerate(entries))
    return [notice for notice in read if notice is not None]


def _parse_entry(entry: object, path: str, warnings: list[str]) -> UpdateNotice | None:
    if not isinstance(entry, dict):
        warnings.append(f"{path} is left out: {_kind(entry)}, not an object")
        return None
    version = entry.get("version")
    try:
        if not isinstance(version, str):
            raise InvalidVersionError(f"{_kind(version)}, not a text")  # noqa: TRY301 - one warning for both
        return UpdateNotice(
            version=MastodonVersion.parse_published(version),
            urgent=_parse_urgent(entry, path, warnings),
            type=_parse_type(entry.get("type"), f"{path}.type", warnings),
            release_notes=_parse_url(entry.get("releaseNotes"), f"{path}.releaseNotes", warnings),
            end_of_support_on=_parse_date(entry.get("endOfSupport"), f"{path}.endOfSupport", warnings),
        )
    except InvalidVersionError as error:
        warnings.append(f"{path}.version is left out: {error}")
        return None


def _parse_urgent(entry: dict[str, object], path: str, warnings: list[str]) -> bool:
    value = entry.get("urgent", False)
    if isinstance(value, bool):
        return value
    warnings.append(f"{path}.urgent is {_kind(value)}, not true or false: it counts as urgent")
    return True


def _parse_type(value: object, path: str, warnings: list[str]) -> UpdateType | None:
    if value is None:
        return None
    if isinstance(value, str) and value in tuple(UpdateType):
        return UpdateType(value)
    warnings.append(f"{path} is unknown: it is computed from the versions")
    return None


def _parse_url(value: object, path: str, warnings: list[str]) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not is_printable_url(value):
        warnings.append(f"{path} is ignored: not an http or https address of at most {URL_CHARACTERS} characters")
        return ""
    return value


def _parse_date(value: object, path: str, warnings: list[str]) -> date | None:
    """Read `YYYY-MM-DD` or a full timestamp, of which the written date counts; blank is nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        warnings.append(f"{path} is ignored: {_kind(value)}, not a date")
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        warnings.append(f"{path} is ignored: {clean(value, DATE_CHARACTERS_SHOWN)!r} is not a date")
        return None


def _merge(updates: Iterable[UpdateNotice]) -> tuple[UpdateNotice, ...]:
    """Make one entry of those that name the same version: urgent if one of them is, else the first that says it."""
    merged: dict[MastodonVersion, UpdateNotice] = {}
    for update in updates:
        first = merged.setdefault(update.version, update)
        merged[update.version] = replace(
            first,
            urgent=first.urgent or update.urgent,
            type=first.type or update.type,
            release_notes=first.release_notes or update.release_notes,
            end_of_support_on=first.end_of_support_on or update.end_of_support_on,
        )
    return tuple(merged.values())


def _kind(value: object) -> str:
    """Name a JSON value's kind as an administrator would."""
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}
    return names[type(value)]


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """Return the instant that the header `Date` names (RFC 9110, 6.6.1), if there is one that can be read."""
    try:
        dated_at = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return dated_at if dated_at.tzinfo else dated_at.replace(tzinfo=UTC)


def describe_staleness(headers: Mapping[str, str], now: datetime) -> str:
    """Return a sentence about an answer that is a day old or older by its header `Date`; empty for any other."""
    dated_at = read_date(headers)
    if dated_at is None or now - dated_at < STALE:
        return ""
    return (
        f"the update server's answer is stale: {count((now - dated_at).days, 'day')} old by its header Date, so that "
        "newer releases may be missing; a cache or proxy on the way keeps an old answer (or this machine's clock is "
        "ahead)"
    )
