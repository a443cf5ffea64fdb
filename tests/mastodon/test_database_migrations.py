"""Mastodon's migrations with our function in place: none is blocked, and new columns are used."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, ask, populated, socket_address
from mastodon_update_check.domain.staff import DatabaseAnswer, StaffReason
from mastodon_update_check.errors import CheckError
from simulators.postgres import Postgres

INSTALL = Path(__file__).parents[2] / "packaging" / "postgresql" / "install.sql"
NAME = "migrating"

Migrate = Callable[[str, str], tuple[DatabaseAnswer, DatabaseAnswer]]


@pytest.fixture
def migrate(postgres: Postgres) -> Iterator[Migrate]:
    """Return a function that runs migrations as Mastodon would, and returns our role's answers before and after."""

    def run(version: str, statements: str) -> tuple[DatabaseAnswer, DatabaseAnswer]:
        populated(postgres, NAME, version)
        assert postgres.psql(NAME, INSTALL).returncode == 0
        address = socket_address(postgres, NAME, OWN_ROLE)
        before = ask(address)
        postgres.execute(NAME, statements, DIRECT)
        return before, ask(address)

    yield run
    postgres.drop_database(NAME)


def reasons(staff: DatabaseAnswer) -> dict[str, StaffReason]:
    """Return the reasons by name."""
    return {verdict.user.name: verdict.reason for verdict in staff.verdicts}


HARMLESS = [
    "ALTER TABLE users DROP COLUMN locale",
    "ALTER TABLE accounts DROP COLUMN memorial",
    "ALTER TABLE users DROP COLUMN settings",
    "ALTER TABLE users ALTER COLUMN email TYPE text",
    "ALTER TABLE users RENAME COLUMN otp_secret TO x",
    "DROP TABLE account_deletion_requests",
    "ALTER TABLE users ALTER COLUMN confirmed_at TYPE timestamptz",
    "DROP INDEX index_users_on_role_id; CREATE INDEX x ON users (role_id)",
    "ALTER TABLE users ADD COLUMN x json DEFAULT '{}', ADD COLUMN y int[] DEFAULT '{1}'",
]


@pytest.mark.parametrize("statements", HARMLESS)
def test_migrations_go_through(migrate: Migrate, statements: str) -> None:
    """No statement is refused because of our function, and owners are notified as before."""
    before, after = migrate("4.6", statements)
    notified = {verdict.user.key for verdict in before.verdicts if verdict.recipient}
    assert notified <= {verdict.user.key for verdict in after.verdicts if verdict.recipient}


FATAL = [
    "DROP TABLE users CASCADE",
    "ALTER TABLE users RENAME TO people",
    "ALTER TABLE user_roles RENAME TO roles",
    "ALTER TABLE user_roles DROP COLUMN permissions",
    "ALTER TABLE users RENAME COLUMN account_id TO account",
]


@pytest.mark.parametrize("statements", FATAL)
def test_another_schema_than_any_that_is_known(migrate: Migrate, statements: str) -> None:
    """Nor are these refused; our question then fails with a sentence."""
    with pytest.raises(CheckError, match=r"^PostgreSQL at \S+ has (a schema in|no Mastodon in) migrating"):
        migrate("4.6", statements)


def test_later_column_is_picked_up(migrate: Migrate) -> None:
    """From 4.6 to 4.7: the new column for deletions counts without running our script again."""
    before, after = migrate(
        "4.6",
        "ALTER TABLE accounts ADD COLUMN requested_deletion_at timestamp;"
        "UPDATE accounts SET requested_deletion_at = now() WHERE username = 'owner'",
    )
    assert reasons(before)["owner"] == StaffReason.VIEWS_DEVOPS
    assert reasons(before) | {"owner": StaffReason.BEING_DELETED} == reasons(after)


def test_from_3_5_to_4_0(migrate: Migrate) -> None:
    """Roles take the place of the old flag, which stays behind and counts for nothing."""
    before, after = migrate(
        "3.5",
        "CREATE TABLE user_roles (id bigserial PRIMARY KEY, name varchar NOT NULL, permissions bigint NOT NULL);"
        "INSERT INTO user_roles VALUES (-99, '', 65536), (1, 'Moderator', 16), (3, 'Owner', 1);"
        "ALTER TABLE users ADD COLUMN role_id bigint REFERENCES user_roles;"
        "CREATE INDEX index_users_on_role_id ON users (role_id) WHERE role_id IS NOT NULL;"
        "UPDATE users SET role_id = 3 WHERE admin;"
        "UPDATE users SET role_id = 1 WHERE email = 'owner@social.example'",
    )
    assert reasons(before)["owner"] == StaffReason.VIEWS_DEVOPS
    assert reasons(before) | {"owner": StaffReason.CANNOT_VIEW_DEVOPS} == reasons(after)
    assert {verdict.user.role for verdict in after.verdicts} == {"Owner", "Moderator"}


def test_between_the_migrations_from_3_5_to_4_0(postgres: Postgres) -> None:
    """Without the users' column the answer is an error; with the column, but before the post-migration, it is empty."""
    populated(postgres, NAME, "3.5")
    address = socket_address(postgres, NAME, OWN_ROLE)
    try:
        assert postgres.psql(NAME, INSTALL).returncode == 0
        assert ask(address).devops
        postgres.execute(
            NAME,
            "CREATE TABLE user_roles (id bigserial PRIMARY KEY, name varchar NOT NULL, permissions bigint NOT NULL);"
            "INSERT INTO user_roles VALUES (-99, '', 65536), (1, 'Moderator', 16), (3, 'Owner', 1)",
            DIRECT,
        )
        with pytest.raises(CheckError, match="role_id does not exist"):
            ask(address)
        postgres.execute(NAME, "ALTER TABLE users ADD COLUMN role_id bigint", DIRECT)
        assert ask(address).verdicts == ()
    finally:
        postgres.drop_database(NAME)
