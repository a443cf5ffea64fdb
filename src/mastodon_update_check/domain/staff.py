"""Who of a Mastodon server's staff is told: from one row of its database to a verdict with a reason.

The row is what `mastodon.staff_sql` asks for; what the schema at hand does not have counts as fine. Two decisions are
taken here:

1. May this user view DevOps? By Mastodon's own rules (MASTODON.md, 6.2; before 4.0, 6.3).
2. Does the account work? By the list of DESIGN.md, section 7. Mastodon mails locked-out staff too; we do not. Moved
   accounts and those that still owe a second factor are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mastodon_update_check.domain.addresses import parse_address
from mastodon_update_check.domain.recipients import Recipient, user_key
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.user_settings import Wishes, read_wishes

EVERYONE_ROLE_ID: Final = -99
LOCALE_CHARACTERS: Final = 35
"""What every implementation has room for (RFC 5646, 4.4.1)."""

_ADMINISTRATOR: Final = 1 << 0
_VIEW_DEVOPS: Final = 1 << 1


class StaffReason(StrEnum):
    """Why a member of staff is told, or is not."""

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
class StaffVerdict:
    """One member of staff, and what was decided."""

    user_id: int
    name: str
    """The user's name on the server."""
    role: str
    address: str
    """Fit to be shown; `recipient` has the one to send to."""
    recipient: Recipient | None
    """None when this user is not told."""
    reason: StaffReason
    warnings: tuple[str, ...] = ()
    """Sentences for an administrator: an address or settings that cannot be used as they are."""


def judge(row: Mapping[str, Any], everyone_permissions: int) -> StaffVerdict:
    """Decide whether the user of this row is told.

    Args:
        row: one row of `mastodon.staff_sql.ROW`.
        everyone_permissions: the bits of the everyone role, which every other role has too.
    """
    address = row["email"] or ""
    name = clean(row["name"] or f"user {row['id']}")
    reason = _reason(row, everyone_permissions)
    is_told = reason is StaffReason.VIEWS_DEVOPS
    wishes = read_wishes(row["settings"]) if is_told else Wishes()
    recipient = Recipient(
        sink="email",
        key=user_key(row["id"]),
        address=address,
        preference=wishes.preference,
        wants_support=wishes.wants_support,
        name=name,
        role=clean(row["role"] or ""),
        locale=clean(row["locale"] or "", LOCALE_CHARACTERS),
    )
    return StaffVerdict(
        user_id=row["id"],
        name=name,
        role=recipient.role,
        address=clean(address),
        recipient=recipient if is_told else None,
        reason=reason,
        warnings=_warnings(name, address, reason, wishes),
    )


def can_view_devops(role_id: int, permissions: int, everyone_permissions: int) -> bool:
    """Whether a role may view DevOps: the flag itself, or administrator, which stands for all flags.

    Every role has the everyone role's bits too. The everyone role itself has its raw bits, and its administrator
    bit stands for nothing else (MASTODON.md, 6.2).
    """
    if role_id == EVERYONE_ROLE_ID:
        return bool(permissions & _VIEW_DEVOPS)
    return bool((permissions | everyone_permissions) & (_ADMINISTRATOR | _VIEW_DEVOPS))


def is_deliverable(address: str) -> bool:
    """Whether a mail server could accept the address, and it can stand in a header and in a command by itself."""
    try:
        parse_address(address)
    except ValueError:
        return False
    return True


def _reason(row: Mapping[str, Any], everyone_permissions: int) -> StaffReason:
    """Return the first reason not to tell, else the reason to tell."""
    has_role = row["role_id"] is not None
    obstacles = (
        (StaffReason.NO_ROLE, not has_role and not row["admin"]),
        (
            StaffReason.CANNOT_VIEW_DEVOPS,
            has_role and not can_view_devops(row["role_id"], row["permissions"], everyone_permissions),
        ),
        (StaffReason.UNCONFIRMED, not row["confirmed"]),
        (StaffReason.UNAPPROVED, not row["approved"]),
        (StaffReason.DISABLED, row["disabled"]),
        (StaffReason.SUSPENDED, row["suspended"]),
        (StaffReason.BEING_DELETED, row["being_deleted"]),
        (StaffReason.MEMORIAL, row["memorial"]),
        (StaffReason.BAD_ADDRESS, not is_deliverable(row["email"] or "")),
    )
    return next((reason for reason, holds in obstacles if holds), StaffReason.VIEWS_DEVOPS)


def _warnings(name: str, address: str, reason: StaffReason, wishes: Wishes) -> tuple[str, ...]:
    if reason is StaffReason.BAD_ADDRESS:
        return (f"{name} gets no mail: {clean(address, 80)!r} is no address that a mail server could accept",)
    return tuple(f"{name} has {defect}" for defect in wishes.defects)
