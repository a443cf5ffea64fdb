"""Users of every kind, as rows: each with the expected verdict."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSIONS = ("3.5", "4.0", "4.2", "4.4", "4.6", "4.7")

EVERYONE, MODERATOR, ADMIN, OWNER, DEVOPS, SUPPORTER, INVITER = -99, 1, 2, 3, 4, 5, 6
ROLES = (
    (EVERYONE, "", 1 << 16),
    (MODERATOR, "Moderator", 1 << 3 | 1 << 4 | 1 << 10),
    (ADMIN, "Admin", 0xFFFFF & ~3),
    (OWNER, "Owner", 1),
    (DEVOPS, "DevOps", 2),
    (SUPPORTER, "Supporter", 0),
    (INVITER, "Inviter", 1 << 16 | 1 << 20 | 1 << 21),
)
"""The everyone role, the three seeded ones, and some that an administrator may have made."""

PAST = "2023-01-01 00:00:00"
PASSWORD_HASH = "$2a$12$not-for-us"


@dataclass(frozen=True, slots=True)
class Person:
    """One local user."""

    name: str
    expected: str | None = None
    """The reason of the verdict; None: not read."""
    role: int | None = field(default=OWNER, kw_only=True)
    """Before 4.0, OWNER is an administrator, and other users have no rights."""
    user: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    account: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    deletion_requested: bool = field(default=False, kw_only=True)
    since: str = field(default="3.5", kw_only=True)
    until: str = field(default="4.7", kw_only=True)

    def is_in(self, version: str) -> bool:
        return VERSIONS.index(self.since) <= VERSIONS.index(version) <= VERSIONS.index(self.until)


def said(**settings: object) -> dict[str, str]:
    """Return what a user has in `users.settings`: `software_updates` and `end_of_support`."""
    return {"settings": json.dumps({f"notification_emails.{name}": value for name, value in settings.items()})}


NOTIFIED, NOT_ALLOWED = "views_devops", "cannot_view_devops"
PEOPLE = (
    Person("owner", NOTIFIED, user={"locale": "de"}),
    Person("devops", NOTIFIED, role=DEVOPS, since="4.0"),
    Person("all", NOTIFIED, user=said(software_updates="all"), since="4.2"),
    Person("admin", NOT_ALLOWED, role=ADMIN, since="4.0"),  # the seeded role has everything but DevOps
    Person("moderator", NOT_ALLOWED, role=MODERATOR, since="4.0"),
    Person("supporter", role=SUPPORTER, since="4.0"),  # a badge grants nothing
    Person("inviter", role=INVITER),
    Person("everyone", role=EVERYONE, since="4.0"),
    Person("member", role=None),
    Person("was_admin", role=None, user={"admin": True}, since="4.0", until="4.0"),  # roles have replaced the flag
    Person("unconfirmed", "unconfirmed", user={"confirmed_at": None}),
    Person("unapproved", "unapproved", user={"approved": False}),
    Person("disabled", "disabled", user={"disabled": True}),
    Person("suspended", "suspended", account={"suspended_at": PAST}, deletion_requested=True),
    Person("memorial", "memorial", account={"memorial": True}),
    Person("deleting", "being_deleted", deletion_requested=True, until="4.6"),
    Person("deleting_too", "being_deleted", account={"requested_deletion_at": PAST}, since="4.7"),
    Person("moved", NOTIFIED, account={"moved_to_account_id": 1}),
    Person("silenced", NOTIFIED, account={"silenced_at": PAST}),
    Person("newaddress", NOTIFIED, user={"unconfirmed_email": "next@social.example"}),  # that one is not confirmed yet
    Person("linebreak", "bad_address", user={"email": "linebreak@social.example\nBcc: all@social.example"}),
)
