"""Databases like those of several Mastodon versions: the tables that matter, and users of every kind.

From the facts in MASTODON.md, sections 6, 7 and 10: columns that are neither read by us nor told as a secret are left
out. The users are rows of `PEOPLE`, each with its sentence and what is to become of it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

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
    """The reason of the verdict; None: not looked at."""
    role: int | None = OWNER
    """Before 4.0, OWNER is an administrator, and nobody else has rights."""
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
    Person(name="owner", sentence="An owner is told.", expected="views_devops", user={"locale": "de"}),
    Person(
        name="devops",
        sentence="A role with nothing but the DevOps flag is told.",
        expected="views_devops",
        role=DEVOPS,
        since="4.0",
    ),
    Person(
        name="all",
        sentence="Somebody who wants everything is told.",
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
        sentence="A moderator is staff, but not told.",
        expected="cannot_view_devops",
        role=MODERATOR,
        since="4.0",
    ),
    Person(name="supporter", sentence="A badge is no staff.", expected=None, role=SUPPORTER, since="4.0"),
    Person(name="inviter", sentence="Inviting and reading feeds is no staff.", expected=None, role=INVITER),
    Person(name="everyone", sentence="The everyone role is no staff.", expected=None, role=EVERYONE, since="4.0"),
    Person(name="member", sentence="Somebody without a role is not looked at.", expected=None, role=None),
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
        sentence="Who has not confirmed the address is not told.",
        expected="unconfirmed",
        user={"confirmed_at": None},
    ),
    Person(
        name="unapproved",
        sentence="Who waits for approval is not told.",
        expected="unapproved",
        user={"approved": False},
    ),
    Person(name="disabled", sentence="A frozen login is not told.", expected="disabled", user={"disabled": True}),
    Person(
        name="suspended",
        sentence="A suspended account is not told.",
        expected="suspended",
        account={"suspended_at": PAST},
        deletion_requested=True,
    ),
    Person(name="memorial", sentence="The dead are left alone.", expected="memorial", account={"memorial": True}),
    Person(
        name="deleting",
        sentence="Who is deleting the account is not told.",
        expected="being_deleted",
        deletion_requested=True,
        until="4.6",
    ),
    Person(
        name="deleting_too",
        sentence="Nor since 4.7, which has a column for it.",
        expected="being_deleted",
        account={"requested_deletion_at": PAST},
        since="4.7",
    ),
    Person(
        name="moved",
        sentence="Who has moved still runs this server.",
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


def schema(version: str) -> str:
    """Return the statements that make an empty database of this version."""
    age = VERSIONS.index(version)
    has_roles, has_settings = age >= VERSIONS.index("4.0"), age >= VERSIONS.index("4.2")
    users = [
        "id bigserial PRIMARY KEY",
        "email varchar NOT NULL DEFAULT '' UNIQUE",
        "encrypted_password varchar NOT NULL DEFAULT ''",
        "confirmed_at timestamp",
        "current_sign_in_at timestamp",
        "unconfirmed_email varchar",
        "locale varchar",
        "otp_secret varchar",
        "otp_required_for_login boolean NOT NULL DEFAULT false",
        "account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE",
        "disabled boolean NOT NULL DEFAULT false",
        "approved boolean NOT NULL DEFAULT true",
    ]
    if age <= VERSIONS.index("4.0"):  # the columns outlived their use
        users += ["admin boolean NOT NULL DEFAULT false", "moderator boolean NOT NULL DEFAULT false"]
    if has_roles:
        users.append("role_id bigint REFERENCES user_roles ON DELETE SET NULL")
    if has_settings:
        users.append("settings text")
    if age >= VERSIONS.index("4.4"):
        users += ["time_zone varchar", "age_verified_at timestamp", "require_tos_interstitial boolean DEFAULT false"]
    return ";\n".join(
        (
            _table("accounts", _accounts(age)),
            *(_roles(age) if has_roles else ()),
            _table("users", users),
            "CREATE INDEX ON users (account_id)",
            *(
                ("CREATE INDEX index_users_on_role_id ON users (role_id) WHERE role_id IS NOT NULL",)
                if has_roles
                else ()
            ),
            _table("webauthn_credentials", ["id bigserial PRIMARY KEY", "user_id bigint", "public_key varchar"]),
            _table("settings", ["id bigserial PRIMARY KEY", "var varchar", "value text", "thing_id bigint"]),
            *(_deletion_requests() if age < VERSIONS.index("4.7") else ()),
        )
    )


def people(version: str, persons: Iterable[Person] = PEOPLE) -> sql.Composed:
    """Return the statements that add these users, so far as this version can have them; ids count from 1."""
    present = [person for person in persons if person.is_in(version)]
    return sql.SQL(";").join(
        statement for number, person in enumerate(present, 1) for statement in _person(version, number, person)
    )


def _person(version: str, number: int, person: Person) -> Iterable[sql.Composed]:
    yield _insert("accounts", {"id": number, "username": person.name, **person.account})
    rights = {"admin": person.role == OWNER} if version == "3.5" else {"role_id": person.role}
    user = {"email": f"{person.name}@social.example", "encrypted_password": PASSWORD_HASH, "confirmed_at": PAST}
    yield _insert("users", {"id": number, "account_id": number, **user, **rights, **person.user})
    if person.deletion_requested and version != "4.7":
        yield _insert("account_deletion_requests", {"account_id": number})


def _accounts(age: int) -> list[str]:
    columns = [
        "id bigserial PRIMARY KEY",
        "username varchar NOT NULL DEFAULT ''",
        "domain varchar",
        "private_key text",
        "suspended_at timestamp",
        "silenced_at timestamp",
        "memorial boolean NOT NULL DEFAULT false",
        "moved_to_account_id bigint",
    ]
    return columns + ["requested_deletion_at timestamp"] * (age >= VERSIONS.index("4.7"))


def _roles(age: int) -> tuple[str, ...]:
    columns = ["id bigserial PRIMARY KEY", "name varchar NOT NULL DEFAULT ''", "permissions bigint NOT NULL DEFAULT 0"]
    if age >= VERSIONS.index("4.6"):
        columns += ["require_2fa boolean NOT NULL DEFAULT false", "collection_limit integer NOT NULL DEFAULT 10"]
    rows = ", ".join(f"({number}, '{name}', {permissions})" for number, name, permissions in ROLES)
    insert = f"INSERT INTO user_roles (id, name, permissions) VALUES {rows}"  # noqa: S608 - our own constants
    return _table("user_roles", columns), insert


def _deletion_requests() -> tuple[str, ...]:
    columns = ["id bigserial PRIMARY KEY", "account_id bigint REFERENCES accounts ON DELETE CASCADE"]
    return _table("account_deletion_requests", columns), "CREATE INDEX ON account_deletion_requests (account_id)"


def _table(name: str, columns: Iterable[str]) -> str:
    return f"CREATE TABLE {name} ({', '.join(columns)})"


def _insert(table: str, values: Mapping[str, Any]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(values.values())
    )
