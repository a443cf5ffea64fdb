"""Databases like those of several Mastodon versions: the tables that matter, and what fills them.

Columns that are neither read nor forbidden are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import sql

from simulators.mastodon_people import OWNER, PASSWORD_HASH, PAST, PEOPLE, ROLES, VERSIONS, Person

MIGRATIONS = ("20160220174730", "20220617202502", "20260611150940")
"""Versions of migrations that have run; each of these databases has the same."""
_MIGRATION_ROWS = ", ".join(f"('{version}')" for version in MIGRATIONS)


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
            "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)",
            f"INSERT INTO schema_migrations VALUES {_MIGRATION_ROWS}",  # noqa: S608 - ours
            *(_deletion_requests() if age < VERSIONS.index("4.7") else ()),
        )
    )


def people(version: str, persons: Iterable[Person] = PEOPLE) -> sql.Composed:
    """Return the statements that add these users, as far as this version has them; ids count from 1."""
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
