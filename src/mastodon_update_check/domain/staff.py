"""The staff of a Mastodon server: a verdict with a reason for each row of its database, and each user's preferences.

Columns that a version of Mastodon lacks count as fine. Two decisions are taken here:

1. May this user view DevOps? By Mastodon's own rules; before 4.0, administrators may.
2. Does the account work? Mastodon mails locked-out staff too; this program does not. Accounts that have moved, and
   those that still need a second factor, are notified.

Preferences come from `users.settings`: since Mastodon 4.2 one flat JSON object, with only the values that the user has
changed. A text or a word that cannot be read means the default and a warning, so that a damaged row excludes no user.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

from mastodon_update_check.domain.addresses import parse_address
from mastodon_update_check.domain.recipients import Preference, Recipient
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import CheckError

EVERYONE_ROLE_ID: Final = -99
LOCALE_CHARACTERS: Final = 35
"""Every implementation has room for this many (RFC 5646, 4.4.1)."""

SETTINGS_CHARACTERS: Final = 65_536
"""Longest text that is read; our SQL returns far less."""
DEFAULT_PREFERENCE: Final = Preference.CRITICAL
"""Mastodon's own, as is that end-of-support warnings are on."""

_UPDATES: Final = "notification_emails.software_updates"
_SUPPORT: Final = "notification_emails.end_of_support"
_ADMINISTRATOR: Final = 1 << 0
_VIEW_DEVOPS: Final = 1 << 1


class StaffReason(StrEnum):
    """Why a member of staff is notified, or is not."""

    VIEWS_DEVOPS = "views_devops"
    CANNOT_VIEW_DEVOPS = "cannot_view_devops"
    NO_ROLE = "no_role"
    UNCONFIRMED = "unconfirmed"
    UNAPPROVED = "unapproved"
    DISABLED = "disabled"
    SUSPENDED = "suspended"
    MEMORIAL = "memorial"
    BEING_DELETED = "being_deleted"
    BAD_ADDRESS = "bad_address"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One member of staff, as the database describes them (`mastodon/sql/install.sql`)."""

    id: int
    role_id: int | None
    role: str | None
    permissions: int
    everyone_permissions: int
    admin: bool | None
    email: str | None
    locale: str | None
    settings: str | None
    confirmed: bool | None
    approved: bool | None
    disabled: bool | None
    name: str | None
    suspended: bool | None
    memorial: bool | None
    being_deleted: bool | None

    @classmethod
    def parse(cls, row: Mapping[str, Any]) -> Self:
        """Return the row with these values; raise `ValueError` if a column is missing or has another type."""
        for field in fields(cls):
            if field.name not in row or not isinstance(row[field.name], field.type):  # type: ignore[arg-type]
                raise ValueError(f"staff without a valid {field.name}")
        return cls(**{field.name: row[field.name] for field in fields(cls)})


class UserPreferences(NamedTuple):
    """The preferences; `defects` are the ends of sentences about values that could not be read."""

    preference: Preference = DEFAULT_PREFERENCE
    wants_support: bool = True
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVerdict:
    """One member of staff, and the decision."""

    user: Recipient
    reason: StaffReason
    warnings: tuple[str, ...] = ()
    """Sentences for an administrator: an address or settings that cannot be used as they are."""

    @property
    def recipient(self) -> Recipient | None:
        """The user, if this is a DevOps user whose account works."""
        return self.user if self.reason is StaffReason.VIEWS_DEVOPS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAnswer:
    """The answer of Mastodon's database; empty when it was not needed."""

    verdicts: tuple[StaffVerdict, ...] = ()
    """One for each member of staff, those who can view DevOps first."""
    warnings: tuple[str, ...] = ()
    error: CheckError | None = None
    through: str = ""
    may_write: bool = False
    """Whether the login could change users: more than is needed."""
    server_version: str = ""
    """PostgreSQL's version, such as `13.14`; empty when it is unknown."""
    migrations: frozenset[str] | None = None
    """The versions of the migrations that have run; None when they are unknown."""
    migrations_problem: str = ""

    @property
    def devops(self) -> tuple[Recipient, ...]:
        """The DevOps users whose account works."""
        return tuple(verdict.recipient for verdict in self.verdicts if verdict.recipient is not None)


def judge(row: StaffRow) -> StaffVerdict:
    """Decide whether this user is notified."""
    address = row.email or ""
    name = clean(row.name or f"user {row.id}")
    reason = _find_reason(row)
    preferences = read_preferences(row.settings if reason is StaffReason.VIEWS_DEVOPS else None)
    warnings = [f"{name} has {defect}" for defect in preferences.defects]
    if reason is StaffReason.BAD_ADDRESS:
        shown = repr(clean(address, 80))
        warnings.append(f"{name} gets no mail: {shown} is not an address that a mail server could accept")
    user = Recipient(
        sink="email",
        key=f"user:{row.id}",
        address=address,
        preference=preferences.preference,
        wants_support=preferences.wants_support,
        name=name,
        role=clean(row.role or ""),
        locale=clean(row.locale or "", LOCALE_CHARACTERS),
    )
    return StaffVerdict(user=user, reason=reason, warnings=tuple(warnings))


def _is_deliverable(address: str) -> bool:
    try:
        parse_address(address)
    except ValueError:
        return False
    return True


def _find_reason(row: StaffRow) -> StaffReason:
    if row.role_id is None:
        may_view, otherwise = row.admin, StaffReason.NO_ROLE
    else:
        # The administrator flag implies all flags, and every role has the flags of the everyone role too. That role
        # itself has its own alone, and its administrator flag implies nothing.
        is_everyone = row.role_id == EVERYONE_ROLE_ID
        flags = _VIEW_DEVOPS if is_everyone else _ADMINISTRATOR | _VIEW_DEVOPS
        held = row.permissions if is_everyone else row.permissions | row.everyone_permissions
        may_view, otherwise = bool(held & flags), StaffReason.CANNOT_VIEW_DEVOPS
    obstacles = (
        (otherwise, not may_view),
        (StaffReason.UNCONFIRMED, not row.confirmed),
        (StaffReason.UNAPPROVED, not row.approved),
        (StaffReason.DISABLED, row.disabled),
        (StaffReason.SUSPENDED, row.suspended),
        (StaffReason.BEING_DELETED, row.being_deleted),
        (StaffReason.MEMORIAL, row.memorial),
        (StaffReason.BAD_ADDRESS, not _is_deliverable(row.email or "")),
    )
    return next((reason for reason, holds in obstacles if holds), StaffReason.VIEWS_DEVOPS)


def read_preferences(settings: object) -> UserPreferences:
    """Return the preferences in the text of `users.settings`; None when the column is NULL or missing. Never raises."""
    if not isinstance(settings, str) or not settings.strip():
        return UserPreferences()
    try:
        document = json.loads(settings) if len(settings) <= SETTINGS_CHARACTERS else settings
    except (ValueError, RecursionError):
        document = settings
    if document is None:
        return UserPreferences()
    if not isinstance(document, dict):
        return UserPreferences(defects=("settings that cannot be read",))
    updates, support = document.get(_UPDATES), document.get(_SUPPORT)
    preference = DEFAULT_PREFERENCE if updates is None else next((one for one in Preference if one == updates), None)
    defects = []
    if preference is None:
        defects.append(f"an unknown preference {_shown(updates)} ({_UPDATES}), taken as {DEFAULT_PREFERENCE}")
    # For Mastodon, as for Ruby, every other value is true, "false" and 0 too.
    if not isinstance(support, bool | None):
        defects.append(f"neither true nor false but {_shown(support)} ({_SUPPORT}), taken as true")
    return UserPreferences(preference or DEFAULT_PREFERENCE, support is not False, tuple(defects))


def _shown(value: object) -> str:
    return repr(clean(value, 40)) if isinstance(value, str) else f"of type {type(value).__name__}"
