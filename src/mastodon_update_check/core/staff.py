"""Who of a Mastodon server's staff is told: from one row of its database to a verdict with a reason.

The row is what `mastodon.staff_sql` asks for: `user`, `account` and `role` hold the columns that the schema at hand
has, a column that it lacks is absent, and what cannot be asked counts as fine. Two decisions are taken here:

1. May this user view DevOps? By Mastodon's own rules (MASTODON.md, 6.2; before 4.0, 6.3).
2. Does the account work? By the list of DESIGN.md, section 7. Mastodon mails locked-out staff too; we do not. Moved
   accounts and those that still owe a second factor are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from mastodon_update_check.core.recipients import Recipient, user_key
from mastodon_update_check.core.text import clean
from mastodon_update_check.core.user_settings import Wishes, read_wishes

EVERYONE_ROLE_ID: Final = -99
ADDRESS_CHARACTERS: Final = 320
"""Longest mail address: 64 of local part, `@`, 255 of domain (RFC 5321, 4.5.3.1)."""
LOCALE_CHARACTERS: Final = 35
"""What every implementation has room for (RFC 5646, 4.4.1)."""

_ADMINISTRATOR: Final = 1 << 0
_VIEW_DEVOPS: Final = 1 << 1
_SPECIALS: Final = frozenset(' ()<>[]:;,\\"')
"""What no dot-atom holds (RFC 5322, 3.2.3); quoted local parts are not sent to."""


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
        row: `user`, `account`, `role` (null for users without one) and `deletion_requested`.
        everyone_permissions: the bits of the everyone role, which every other role has too.
    """
    user: Mapping[str, Any] = row["user"]
    account: Mapping[str, Any] = row.get("account") or {}
    role: Mapping[str, Any] | None = row.get("role")
    name = clean(str(account.get("username") or f"user {user['id']}"))
    role_name = clean(str(role["name"] or "")) if role else "admin" if user.get("admin") else ""
    reason = _reason(user, account, role, everyone_permissions, deletion_requested=bool(row.get("deletion_requested")))
    wishes = read_wishes(user.get("settings")) if reason is StaffReason.VIEWS_DEVOPS else Wishes()
    told = Recipient(
        sink="email",
        key=user_key(user["id"]),
        address=str(user.get("email") or ""),
        preference=wishes.preference,
        wants_support=wishes.wants_support,
        name=name,
        role=role_name,
        locale=clean(str(user.get("locale") or ""), LOCALE_CHARACTERS),
    )
    return StaffVerdict(
        user_id=user["id"],
        name=name,
        role=role_name,
        address=clean(told.address),
        recipient=told if reason is StaffReason.VIEWS_DEVOPS else None,
        reason=reason,
        warnings=_warnings(name, told.address, reason, wishes),
    )


def can_view_devops(role: Mapping[str, Any], everyone_permissions: int) -> bool:
    """Whether a role may view DevOps: the flag itself, or administrator, which stands for all flags.

    Every role has the everyone role's bits too. The everyone role itself has its raw bits, and its administrator
    bit stands for nothing else (MASTODON.md, 6.2).
    """
    if role["id"] == EVERYONE_ROLE_ID:
        return bool(role["permissions"] & _VIEW_DEVOPS)
    return bool((role["permissions"] | everyone_permissions) & (_ADMINISTRATOR | _VIEW_DEVOPS))


def is_deliverable(address: str) -> bool:
    """Whether a mail server could accept the address, and it can stand in a header and in a command by itself."""
    local, at, domain = address.rpartition("@")
    return (
        bool(local and at and all(domain.split(".")))
        and len(address) <= ADDRESS_CHARACTERS
        and "@" not in local
        and _SPECIALS.isdisjoint(address)
        and address.isprintable()  # none of the categories C and Z but the blank, which is one of the specials
    )


def _reason(
    user: Mapping[str, Any],
    account: Mapping[str, Any],
    role: Mapping[str, Any] | None,
    everyone_permissions: int,
    *,
    deletion_requested: bool,
) -> StaffReason:
    """Return the first reason not to tell, else the reason to tell. A column that is absent speaks against nobody."""
    deleting = deletion_requested or account.get("requested_deletion_at") is not None
    obstacles = (
        (StaffReason.NO_ROLE, role is None and not user.get("admin")),
        (StaffReason.CANNOT_VIEW_DEVOPS, role is not None and not can_view_devops(role, everyone_permissions)),
        (StaffReason.UNCONFIRMED, user.get("confirmed_at", "absent") is None),
        (StaffReason.UNAPPROVED, not user.get("approved", True)),
        (StaffReason.DISABLED, bool(user.get("disabled"))),
        (StaffReason.SUSPENDED, account.get("suspended_at") is not None),
        (StaffReason.BEING_DELETED, deleting),
        (StaffReason.MEMORIAL, bool(account.get("memorial"))),
        (StaffReason.BAD_ADDRESS, not is_deliverable(str(user.get("email") or ""))),
    )
    return next((reason for reason, holds in obstacles if holds), StaffReason.VIEWS_DEVOPS)


def _warnings(name: str, address: str, reason: StaffReason, wishes: Wishes) -> tuple[str, ...]:
    if reason is StaffReason.BAD_ADDRESS:
        return (f"{name} gets no mail: {clean(address, 80)!r} is no address that a mail server could accept",)
    return tuple(f"{name} has {defect}" for defect in wishes.defects)
