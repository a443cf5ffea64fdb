"""The scripts that make and remove the packaged role: repeatable, refused where they would be unsafe."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.examples import cases
from mastodon.databases import OWN_ROLE, ask, populated, socket_address
from mastodon_update_check.mastodon import sql
from simulators.postgres import Postgres

SCRIPTS = Path(__file__).parents[2] / "packaging" / "postgresql"
INSTALL, UNDO = SCRIPTS / "install.sql", SCRIPTS / "undo.sql"


ALONE = "the only one"


@pytest.fixture(scope="module")
def other_server() -> Iterator[Postgres]:
    """Return a server on which no database has our role."""
    with Postgres() as server:
        yield server


@pytest.fixture
def alone(other_server: Postgres) -> Iterator[Postgres]:
    """Return it with one database of Mastodon's."""
    populated(other_server, ALONE, "4.7")
    yield other_server
    other_server.drop_database(ALONE)
    other_server.execute("postgres", "DROP ROLE IF EXISTS _mastodon_update_check; DROP ROLE IF EXISTS manager")


@pytest.mark.parametrize("name", ["install", "undo"])
def test_packaged_scripts_are_the_program_s(name: str) -> None:
    """The files in packaging/ are links to the package's own."""
    assert (SCRIPTS / f"{name}.sql").read_text() == sql.read_sql(name)


def test_undoing_the_last_one_drops_the_role(alone: Postgres) -> None:
    """Where no other database uses the role it goes too."""
    results = [alone.psql(ALONE, script) for script in (INSTALL, UNDO, UNDO)]
    with closing(alone.connect(ALONE)) as connection:
        roles = connection.execute("SELECT FROM pg_roles WHERE rolname = '_mastodon_update_check'").fetchall()
        schemas = connection.execute("SELECT FROM pg_namespace WHERE nspname ~ 'update_check'").fetchall()
    assert [(result.returncode, result.stderr) for result in results] == [(0, "")] * 3
    assert (roles, schemas) == ([], [])


@cases(
    "change sentence",
    ("DROP TABLE public.users CASCADE", f"the database {ALONE} is not Mastodon's: name Mastodon's with -d"),
    (
        "CREATE ROLE _mastodon_update_check CREATEDB",
        "exists and has rights that it does not need: drop it first",
    ),
    (  # the database's owner could have code of his own run with the rights of a superuser who owns tables
        f'ALTER DATABASE "{ALONE}" OWNER TO mastodon; ALTER TABLE public.users OWNER TO CURRENT_USER',
        "and the database to another role: give them to Mastodon's role",
    ),
)
def test_installing_where_it_is_unsafe(alone: Postgres, change: str, sentence: str) -> None:
    """The script is refused, and nothing is made in the database."""
    alone.execute(ALONE, change)
    result = alone.psql(ALONE, INSTALL)
    assert result.returncode != 0
    assert sentence in result.stderr
    with closing(alone.connect(ALONE)) as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname ~ 'update_check'").fetchall() == []


def test_installing_without_superuser(alone: Postgres) -> None:
    """On a managed server, a role that may create roles and has Mastodon's as one of its own can run it."""
    alone.execute(ALONE, "CREATE ROLE manager LOGIN CREATEROLE; GRANT mastodon TO manager; ")
    alone.execute(ALONE, f'GRANT CREATE, CONNECT ON DATABASE "{ALONE}" TO manager WITH GRANT OPTION')
    result = alone.psql(ALONE, INSTALL, role="manager")
    assert (result.returncode, result.stderr) == (0, "")
    assert ask(socket_address(alone, ALONE, OWN_ROLE)).through.startswith("mastodon_update_check.staff()")
