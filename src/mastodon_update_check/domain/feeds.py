"""The update server's answer, read field by field; a bad field is left out with a warning that names its path."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from mastodon_update_check.domain.notices import UpdateNotice, UpdateType
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import URL_CHARACTERS, is_printable_url
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError

MAXIMUM_ENTRIES = 1_000
DATE_CHARACTERS_SHOWN = 40
STALE = timedelta(days=1)
_SECONDS = re.compile(r"[0-9]+")
_MOST_SECONDS = 2**31
"""What RFC 9111, 1.2.2 says for numbers that are larger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One answer of the update server."""

    updates: tuple[UpdateNotice, ...] | None
    """What it lists, one entry a version; None when it gave no list, which is no answer."""
    is_complete: bool = True
    """Whether every entry could be read: only then does a release that is missing count as withdrawn."""
    ends_on: date | None = None
    """When support of the branch that was asked about ends; None when it did not say."""
    warnings: tuple[str, ...] = ()
    """What was left out, each with the path of the bad field."""


def parse_feed(document: object) -> Feed:
    """Read an answer: the JSON document that the update server sent.

    Raises:
        CheckError: the document is not an object, `updatesAvailable` is not a list, it lists more than 1,000 entries,
            or none of its entries can be read.
    """
    if not isinstance(document, dict):
        raise CheckError(Cause.CONTENT, f"the update server's answer is {_kind(document)}, not an object")
    findings = _Findings()
    entries = document.get("updatesAvailable")
    updates = None if entries is None else _merge(_parse_entries(entries, findings))
    if entries and not updates:
        raise CheckError(
            Cause.CONTENT,
            f"the update server lists no release of Mastodon ({findings.warnings[0]}): expected "
            "UPDATE_CHECK_URL=https://api.joinmastodon.org/update-check",
        )
    if updates is None:
        findings.warn("updatesAvailable is missing: whether there are updates stays unknown")
    current = document.get("currentVersion")
    if current is not None and not isinstance(current, dict):
        findings.warn(f"currentVersion is ignored: {_kind(current)}, not an object")
        current = None
    ends_on = _parse_date((current or {}).get("endOfSupport"), "currentVersion.endOfSupport", findings)
    return Feed(updates=updates, is_complete=not findings.left_out, ends_on=ends_on, warnings=tuple(findings.warnings))


def newer_updates(feed: Feed, installed: MastodonVersion) -> tuple[UpdateNotice, ...]:
    """Return the updates that concern a server running `installed`, in order, each with its type.

    A pre-release concerns only a server that runs one.
    """
    return tuple(
        update if update.type else replace(update, type=UpdateType.between(installed, update.version))
        for update in sorted(feed.updates or (), key=lambda update: update.version)
        if update.version > installed and (installed.is_prerelease or not update.version.is_prerelease)
    )


class _Findings:
    """What a reader found wrong: collected while reading, frozen into the feed."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.left_out = 0

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def leave_out(self, path: str, reason: str) -> None:
        self.left_out += 1
        self.warn(f"{path} is left out: {reason}")


def _parse_entries(entries: object, findings: _Findings) -> Iterable[UpdateNotice]:
    if not isinstance(entries, list):
        raise CheckError(
            Cause.CONTENT, f"updatesAvailable in the update server's answer is {_kind(entries)}, not a list"
        )
    if len(entries) > MAXIMUM_ENTRIES:
        raise CheckError(
            Cause.CONTENT, f"the update server lists {len(entries)} updates, more than the {MAXIMUM_ENTRIES} allowed"
        )
    for number, entry in enumerate(entries):
        if notice := _parse_entry(entry, f"updatesAvailable[{number}]", findings):
            yield notice


def _parse_entry(entry: object, path: str, findings: _Findings) -> UpdateNotice | None:
    if not isinstance(entry, dict):
        findings.leave_out(path, f"{_kind(entry)}, not an object")
        return None
    try:
        version = _parse_version(entry.get("version"))
    except InvalidVersionError as error:
        findings.leave_out(f"{path}.version", str(error))
        return None
    return UpdateNotice(
        version=version,
        urgent=_parse_urgent(entry, path, findings),
        type=_parse_type(entry.get("type"), f"{path}.type", findings),
        release_notes=_parse_url(entry.get("releaseNotes"), f"{path}.releaseNotes", findings),
        end_of_support_on=_parse_date(entry.get("endOfSupport"), f"{path}.endOfSupport", findings),
    )


def _parse_version(value: object) -> MastodonVersion:
    if not isinstance(value, str):
        raise InvalidVersionError(f"{_kind(value)}, not a text")
    return MastodonVersion.parse_published(value)


def _parse_urgent(entry: dict[str, object], path: str, findings: _Findings) -> bool:
    value = entry.get("urgent", False)
    if isinstance(value, bool):
        return value
    findings.warn(f"{path}.urgent is {_kind(value)}, not true or false: it counts as urgent")
    return True


def _parse_type(value: object, path: str, findings: _Findings) -> UpdateType | None:
    if value is None:
        return None
    if isinstance(value, str) and value in tuple(UpdateType):
        return UpdateType(value)
    findings.warn(f"{path} is unknown: it is computed from the versions")
    return None


def _parse_url(value: object, path: str, findings: _Findings) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not is_printable_url(value):
        findings.warn(f"{path} is ignored: not an http or https address of at most {URL_CHARACTERS} characters")
        return ""
    return value


def _parse_date(value: object, path: str, findings: _Findings) -> date | None:
    """Read `YYYY-MM-DD` or a full timestamp, of which the written date counts; blank is nothing."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        findings.warn(f"{path} is ignored: {_kind(value)}, not a date")
        return None
    try:
        return datetime.fromisoformat(value.strip()).date()
    except ValueError:
        findings.warn(f"{path} is ignored: {clean(value, DATE_CHARACTERS_SHOWN)!r} is not a date")
        return None


def _merge(updates: Iterable[UpdateNotice]) -> tuple[UpdateNotice, ...]:
    """Make one entry of those that name the same version: urgent if one of them is, else the first that says it."""
    merged: dict[MastodonVersion, UpdateNotice] = {}
    for update in updates:
        first = merged.get(update.version)
        merged[update.version] = update if first is None else _merge_two(first, update)
    return tuple(merged.values())


def _merge_two(first: UpdateNotice, second: UpdateNotice) -> UpdateNotice:
    return replace(
        first,
        urgent=first.urgent or second.urgent,
        type=first.type or second.type,
        release_notes=first.release_notes or second.release_notes,
        end_of_support_on=first.end_of_support_on or second.end_of_support_on,
    )


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
    """Return a sentence about an answer that is a day old or older by its headers; empty for any other."""
    age, dated_at = _read_age(headers.get("age", "")), read_date(headers)
    if age >= STALE:
        source, doubt = "Age", ""
    elif dated_at is not None and now - dated_at >= STALE:
        source, age, doubt = "Date", now - dated_at, " (or this machine's clock is ahead)"
    else:
        return ""
    return (
        f"the update server's answer is stale: {age.days} {'day' if age.days == 1 else 'days'} old by its header "
        f"{source}, so that newer releases may be missing; a cache or proxy on the way keeps an old answer{doubt}"
    )


def _read_age(text: str) -> timedelta:
    """Read the header `Age` (RFC 9111, 5.1)."""
    text = text.strip()
    if not (text.isascii() and _SECONDS.fullmatch(text)):
        return timedelta()
    return timedelta(seconds=min(int(text[:20]), _MOST_SECONDS))
