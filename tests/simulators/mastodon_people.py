"""Users of every kind, as rows: each with a sentence and the expected verdict."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One local user."""

    name: str
    sentence: str
    expected: str | None
    """The reason of the verdict; None: not read."""
    role: int | None = OWNER
    """Before 4.0, OWNER is an administrator, and other users have no rights."""
    user: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    deletion_requested: bool = False
    since: str = "3.5"
    until: str = "4.7"

    def is_in(self, version: str) -> bool:
        return VERSIONS.index(self.since) <= VERSIONS.index(version) <= VERSIONS.index(self.until)


def said(**settings: object) -> dict[str, str]:
    """Return what a user has in `users.settings`: `software_updates` and `end_of_support`."""
    return {"settings": json.dumps({f"notification_emails.{name}": value for name, value in settings.items()})}


PEOPLE = (
    Person(name="owner", sentence="An owner is notified.", expected="views_devops", user={"locale": "de"}),
    Person(
        name="devops",
        sentence="A role with only the DevOps flag is notified.",
        expected="views_devops",
        role=DEVOPS,
        since="4.0",
    ),
    Person(
        name="all",
        sentence="A user who wants every notice is notified.",
        expected="views_devops",
        user=said(software_updates="all"),
        since="4.2",
    ),
    Person(
        name="admin",
        sentence="The seeded role Admin has everything but DevOps.",
        expected="cannot_view_devops",
        role=ADMIN,
        since="4.0",
    ),
    Person(
        name="moderator",
        sentence="A moderator is staff, but not notified.",
        expected="cannot_view_devops",
        role=MODERATOR,
        since="4.0",
    ),
    Person(name="supporter", sentence="A badge grants nothing.", expected=None, role=SUPPORTER, since="4.0"),
    Person(name="inviter", sentence="Inviting and reading feeds is not enough.", expected=None, role=INVITER),
    Person(name="everyone", sentence="The everyone role grants little.", expected=None, role=EVERYONE, since="4.0"),
    Person(name="member", sentence="A user without a role is not read.", expected=None, role=None),
    Person(
        name="was_admin",
        sentence="The old flag counts for nothing where there are roles.",
        expected=None,
        role=None,
        user={"admin": True},
        since="4.0",
        until="4.0",
    ),
    Person(
        name="unconfirmed",
        sentence="A user whose address is not confirmed is not notified.",
        expected="unconfirmed",
        user={"confirmed_at": None},
    ),
    Person(
        name="unapproved",
        sentence="A user who waits for approval is not notified.",
        expected="unapproved",
        user={"approved": False},
    ),
    Person(name="disabled", sentence="A frozen login is not notified.", expected="disabled", user={"disabled": True}),
    Person(
        name="suspended",
        sentence="A suspended account is not notified.",
        expected="suspended",
        account={"suspended_at": PAST},
        deletion_requested=True,
    ),
    Person(name="memorial", sentence="A memorial is not notified.", expected="memorial", account={"memorial": True}),
    Person(
        name="deleting",
        sentence="A user who deletes the account is not notified.",
        expected="being_deleted",
        deletion_requested=True,
        until="4.6",
    ),
    Person(
        name="deleting_too",
        sentence="The same since 4.7, which has a column for it.",
        expected="being_deleted",
        account={"requested_deletion_at": PAST},
        since="4.7",
    ),
    Person(
        name="moved",
        sentence="A user who has moved still runs this server.",
        expected="views_devops",
        account={"moved_to_account_id": 1},
    ),
    Person(
        name="silenced",
        sentence="A limited account still runs this server.",
        expected="views_devops",
        account={"silenced_at": PAST},
    ),
    Person(
        name="newaddress",
        sentence="Mail goes to the confirmed address, not to the next one.",
        expected="views_devops",
        user={"unconfirmed_email": "next@social.example"},
    ),
    Person(
        name="linebreak",
        sentence="An address with a line break gets no mail.",
        expected="bad_address",
        user={"email": "linebreak@social.example\nBcc: all@social.example"},
    ),
)
