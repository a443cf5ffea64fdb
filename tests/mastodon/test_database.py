"""The staff in a real PostgreSQL with the schema of each Mastodon version, through the tables and the function."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import LiteralString

import pytest

from mastodon.databases import DIRECT, OWN_ROLE, ask, populated, socket_address
from mastodon_update_check.domain.staff import DatabaseAnswer, StaffVerdict
from mastodon_update_check.mastodon.sql import staff_query
from simulators.mastodon_people import DEVOPS, EVERYONE, MODERATOR, PEOPLE, VERSIONS, Person
from simulators.mastodon_schema import people as insert_people
from simulators.postgres import Postgres

INSTALL = Path(__file__).parents[2] / "packaging" / "postgresql" / "install.sql"
WAYS = {"the tables": DIRECT, "the function": OWN_ROLE}

StaffOf = Callable[[str, str], DatabaseAnswer]


@pytest.fixture(scope="module")
def staff_of(postgres: Postgres) -> StaffOf:
    """Return a function that asks the database of a version as a role."""
    for version in VERSIONS:
        populated(postgres, f"people of {version}", version)
        assert postgres.psql(f"people of {version}", INSTALL).returncode == 0
    return lambda version, role: ask(socket_address(postgres, f"people of {version}", role))


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """Return a database of the newest version with all of its people, and with the function, for one test alone."""
    name = populated(postgres, "one test's", "4.7")
    assert postgres.psql(name, INSTALL).returncode == 0
    yield name
    postgres.drop_database(name)


CASES = [(version, person) for version in VERSIONS for person in PEOPLE if person.is_in(version)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("version", "person"), CASES, ids=[f"{v}: {p.name}" for v, p in CASES])
def test_each_person_in_each_version(staff_of: StaffOf, version: str, person: Person, way: str) -> None:
    """Each kind of user has the same verdict in each version that can have it, in both ways."""
    found = [verdict for verdict in staff_of(version, WAYS[way]).verdicts if verdict.user.name == person.name]
    assert ([verdict.reason for verdict in found]) == [] if person.expected is None else [person.expected]
    assert all((verdict.recipient is not None) == (person.expected == "views_devops") for verdict in found)


@pytest.mark.parametrize("version", VERSIONS)
def test_both_ways_answer_alike(staff_of: StaffOf, version: str) -> None:
    """The function and the tables give the same staff in the same order."""
    assert staff_of(version, DIRECT).verdicts == staff_of(version, OWN_ROLE).verdicts


@pytest.mark.parametrize("version", VERSIONS)
def test_recipient_of_an_owner(staff_of: StaffOf, version: str) -> None:
    """Key, address, name, role and language are the user's own."""
    owner = staff_of(version, DIRECT).verdicts[0].recipient
    assert owner is not None
    shown = (owner.key, owner.address, owner.name, owner.role, owner.locale)
    assert shown == ("user:1", "owner@social.example", "owner", "admin" if version == "3.5" else "Owner", "de")


@pytest.mark.parametrize("version", VERSIONS)
def test_mail_goes_to_the_confirmed_address(staff_of: StaffOf, version: str) -> None:
    """An address that waits for confirmation gets nothing."""
    recipients = [
        verdict.recipient for verdict in staff_of(version, DIRECT).verdicts if verdict.user.name == "newaddress"
    ]
    assert [recipient.address for recipient in recipients if recipient] == ["newaddress@social.example"]


def test_how_it_was_asked(staff_of: StaffOf, postgres: Postgres) -> None:
    """The answer says through what it came, and whether the login can do more than it needs."""
    direct, function = staff_of("4.7", DIRECT), staff_of("4.7", OWN_ROLE)
    assert (direct.through, direct.may_write) == (f"Mastodon's tables as mastodon at {postgres.socket}", True)
    expected = f"mastodon_update_check.staff() as _mastodon_update_check at {postgres.socket}"
    assert (function.through, function.may_write) == (expected, False)


def test_warning_about_an_address(staff_of: StaffOf) -> None:
    """Only the row with a newline in its address is skipped."""
    shown = "'linebreak@social.example Bcc: all@social.example'"
    expected = f"linebreak gets no mail: {shown} is not an address that a mail server could accept"
    assert staff_of("4.7", DIRECT).warnings == (expected,)


def answers(postgres: Postgres, database: str) -> dict[str, StaffVerdict]:
    """Return the verdicts by name, having asked both ways and found no difference."""
    direct = ask(socket_address(postgres, database)).verdicts
    assert direct == ask(socket_address(postgres, database, OWN_ROLE)).verdicts
    return {verdict.user.name: verdict for verdict in direct}


def change(postgres: Postgres, database: str, statement: LiteralString, *values: int) -> None:
    """Run a statement as Mastodon."""
    with closing(postgres.connect(database, DIRECT)) as connection:
        connection.execute(statement, values)


@pytest.mark.parametrize(("version", "holds"), [("4.4", True), ("4.6", False), ("4.7", False)])
def test_administrator_bit_of_the_everyone_role(postgres: Postgres, version: str, *, holds: bool) -> None:
    """Up to 4.5 it makes every role an administrator's; since 4.6 a role's own bits decide."""
    name = populated(postgres, "everyone administrates", version)
    try:
        assert postgres.psql(name, INSTALL).returncode == 0
        change(postgres, name, "UPDATE user_roles SET permissions = 1 WHERE id = %s", EVERYONE)
        verdicts = answers(postgres, name)
        assert verdicts["owner"].recipient
        assert bool(verdicts["moderator"].recipient) == holds
        assert ("supporter" in verdicts) == holds
        change(postgres, name, "UPDATE user_roles SET permissions = 3 WHERE id = %s", EVERYONE)
        assert answers(postgres, name)["moderator"].recipient  # view_devops counts in every version
    finally:
        postgres.drop_database(name)


@pytest.mark.parametrize(
    ("permissions", "notified", "others"),
    [
        (2, {"moderator", "supporter", "inviter", "everyone"}, set()),  # view_devops
        (1 << 4, set(), {"moderator", "supporter", "everyone"}),  # moderating makes staff, not DevOps
    ],
)
def test_bits_of_the_everyone_role(
    postgres: Postgres, database: str, permissions: int, notified: set[str], others: set[str]
) -> None:
    """Every role has the everyone role's bits; users without a role are not read."""
    change(postgres, database, "UPDATE user_roles SET permissions = %s WHERE id = %s", permissions, EVERYONE)
    verdicts = answers(postgres, database)
    assert notified <= {name for name, verdict in verdicts.items() if verdict.recipient}
    assert others <= {name for name, verdict in verdicts.items() if not verdict.recipient}
    assert "member" not in verdicts


def test_no_everyone_role(postgres: Postgres, database: str) -> None:
    """Mastodon makes the everyone role when it is first needed: before that, roles have their own bits."""
    change(postgres, database, "DELETE FROM user_roles WHERE id = %s", EVERYONE)
    verdicts = answers(postgres, database)
    assert verdicts["owner"].recipient
    assert not verdicts["moderator"].recipient


def test_too_many(postgres: Postgres, database: str) -> None:
    """A thousand are looked at, those who can view DevOps first, always the same ones, with a warning."""
    crowd = [Person(f"x{number}", role=MODERATOR if number < 900 else DEVOPS) for number in range(1100)]
    with closing(postgres.connect(database, DIRECT)) as connection:
        connection.execute("TRUNCATE accounts CASCADE")
        connection.execute(insert_people("4.7", crowd))
    for role in WAYS.values():
        staff = ask(socket_address(postgres, database, role))
        assert staff.warnings == ("more than 1000 users have a staff role: the others are ignored",)
        expected = [f"x{number}" for number in (*range(900, 1100), *range(800))]
        assert [verdict.user.name for verdict in staff.verdicts] == expected


@pytest.mark.parametrize("analyzed", [True, False])
def test_no_scan_of_users(postgres: Postgres, database: str, *, analyzed: bool) -> None:
    """With any statistics of the planner, users are found by the index on their role, and accounts by their key."""
    crowd = """
        INSERT INTO accounts (id, username) SELECT n, 'm' || n FROM generate_series(1000, 21000) AS n;
        INSERT INTO users (id, email, account_id) SELECT n, n || '@x.example', n FROM generate_series(1000, 21000) AS n;
    """
    postgres.execute(database, crowd + "ANALYZE" * analyzed)
    query = staff_query({"functions": (), "has_roles": True, "has_deletion_requests": False})
    with closing(postgres.connect(database, DIRECT)) as connection:
        plan = "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}".encode()))
    assert "index_users_on_role_id" in plan
    assert "accounts_pkey" in plan
    assert "Seq Scan on users" not in plan
    assert "Seq Scan on accounts" not in plan
