"""The packaged role: what it gets, and what it cannot read, write or reach."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from domain.examples import cases
from mastodon.databases import DIRECT, OWN_ROLE, ask, populated, socket_address
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.mastodon.sql import staff_query
from simulators.mastodon_people import PASSWORD_HASH
from simulators.mastodon_schema import MIGRATIONS
from simulators.postgres import Postgres

SCRIPTS = Path(__file__).parents[2] / "packaging" / "postgresql"
INSTALL, UNDO = SCRIPTS / "install.sql", SCRIPTS / "undo.sql"


@pytest.fixture(scope="module")
def installed(postgres: Postgres) -> str:
    """Return a database with our role and function, and with a function that our role must not call."""
    name = populated(postgres, "with our role", "4.7")
    postgres.execute(name, "CREATE FUNCTION secret() RETURNS text LANGUAGE sql AS 'SELECT 1::text'", DIRECT)
    postgres.execute(name, "REVOKE ALL ON FUNCTION secret() FROM PUBLIC", DIRECT)
    assert postgres.psql(name, INSTALL).returncode == 0
    return name


@pytest.fixture(scope="module")
def free(postgres: Postgres, installed: str) -> Iterator[psycopg.Connection[TupleRow]]:
    """Return a login as our role that has lifted its own read-only default."""
    with closing(postgres.connect(installed, OWN_ROLE)) as connection:
        connection.execute("SET default_transaction_read_only = off; SET search_path = public")
        yield connection


@pytest.fixture
def fresh(postgres: Postgres) -> Iterator[str]:
    """Return a database of Mastodon's without our role's schema, for one test alone."""
    yield populated(postgres, "without our role", "4.7")
    postgres.drop_database("without our role")


@cases(
    "statement refusal",
    ("a table", "SELECT FROM users", "permission denied for table users"),
    ("the password hashes", "SELECT encrypted_password FROM public.users", "permission denied for table users"),
    ("the second factors", "SELECT otp_secret FROM public.users", "permission denied for table users"),
    ("the private keys", "SELECT private_key FROM public.accounts", "permission denied for table accounts"),
    ("the roles", "TABLE public.user_roles", "permission denied for table user_roles"),
    ("who is deleting", "TABLE public.settings", "permission denied for table settings"),
    ("the roles' passwords", "SELECT rolpassword FROM pg_authid", "permission denied for table pg_authid"),
    ("statistics about the contents", "TABLE pg_statistic", "permission denied for table pg_statistic"),
    ("another function", "SELECT public.secret()", "permission denied for function secret"),
    ("a program", "COPY (SELECT 1) TO PROGRAM 'id'", "permission denied to COPY to or from an external program"),
    ("a file", "COPY (SELECT 1) TO '/tmp/x'", "permission denied to COPY to a file"),
    ("a file of the server", "SELECT pg_read_file('postgresql.conf')", "permission denied for function pg_read_file"),
    ("another role", "SET ROLE mastodon", "permission denied to set role"),
    ("the superuser", "SET SESSION AUTHORIZATION postgres", "permission denied to set session authorization"),
    ("writing", "UPDATE public.users SET disabled = true", "permission denied for table users"),
    ("deleting", "DELETE FROM public.users", "permission denied for table users"),
    ("locking", "BEGIN; LOCK TABLE public.users IN ACCESS SHARE MODE", "permission denied for table users"),
    ("a table of its own", "CREATE TABLE public.x ()", "permission denied for schema public"),
    ("a table beside the function", "CREATE TABLE mastodon_update_check.x ()", "permission denied for schema"),
    ("a function", "CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "permission denied for schema"),
    ("a schema", "CREATE SCHEMA x", "permission denied for database"),
    ("a role", "CREATE ROLE x", "permission denied to create role"),
    ("a database", "CREATE DATABASE x", "permission denied to create database"),
    ("an extension", "CREATE EXTENSION dblink", "permission denied to create extension"),
    ("the function's text", "ALTER FUNCTION mastodon_update_check.staff() RENAME TO x", "must be owner of function"),
    ("its own rights", "ALTER ROLE _mastodon_update_check CREATEDB", "permission denied to alter role"),
)
def test_forbidden_statements(free: psycopg.Connection[TupleRow], statement: str, refusal: str) -> None:
    """The refusal is a missing right, and holds when the role lifts its own read-only default."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
        free.execute(statement.encode())
    free.rollback()
    assert refusal in str(caught.value)


def test_privileges_of_the_role(postgres: Postgres, installed: str) -> None:
    """Of all functions of this database it has two, of all tables none, and it writes nothing by default."""
    questions = (
        """SELECT string_agg(p.oid::regprocedure::text, ' ' ORDER BY p.proname DESC)
           FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
           WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND has_function_privilege(p.oid, 'EXECUTE')""",
        """SELECT string_agg(c.oid::regclass::text, ' ') FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
           WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND relkind = 'r'
           AND has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')""",
        "SHOW default_transaction_read_only",
        "SHOW statement_timeout",
        "SELECT count(*) FROM pg_auth_members JOIN pg_roles r ON r.oid = member WHERE rolname = user",
        "SELECT rolconnlimit FROM pg_roles WHERE rolname = user",
    )
    with closing(postgres.connect(installed, OWN_ROLE)) as connection:
        answers = [connection.execute(question.encode()).fetchone() for question in questions]
    functions = "mastodon_update_check.staff() mastodon_update_check.migrations()"
    expected = [(functions,), (None,), ("on",), ("5s",), (0,), (10,)]
    assert answers == expected


def test_nothing_of_anybody_else(postgres: Postgres, installed: str) -> None:
    """The function's answer holds no secret, and nothing of a user who is not a member of staff."""
    with closing(postgres.connect(installed, OWN_ROLE)) as connection:
        cursor = connection.execute("SELECT * FROM mastodon_update_check.staff()")
        rows = cursor.fetchall()
    assert rows
    assert PASSWORD_HASH not in repr(rows)
    assert "member" not in repr(rows)
    assert [column.name for column in cursor.description or ()] == [
        *("id", "role_id", "role", "permissions", "everyone_permissions", "admin"),
        *("email", "locale", "settings", "confirmed", "approved", "disabled"),
        *("name", "suspended", "memorial", "being_deleted"),
    ]


def test_other_roles_may_not_execute_it(postgres: Postgres, installed: str) -> None:
    """Another login on the same server gets nothing from the function."""
    postgres.execute("postgres", "CREATE ROLE stranger LOGIN")
    with closing(postgres.connect(installed, "stranger")) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute("SELECT mastodon_update_check.staff()")
    assert "permission denied for schema mastodon_update_check" in str(caught.value)


def test_names_cannot_be_hijacked(postgres: Postgres, installed: str) -> None:
    """A table of the caller's own under a name that the function uses is not looked at."""
    with closing(postgres.connect(installed, OWN_ROLE)) as connection:
        expected = connection.execute("SELECT mastodon_update_check.staff()").fetchall()
        connection.execute("SET default_transaction_read_only = off")
        connection.execute("CREATE TEMP TABLE users (id int); CREATE TEMP TABLE pg_attribute ()")
        connection.execute("SET search_path = pg_temp, public")
        assert connection.execute("SELECT mastodon_update_check.staff()").fetchall() == expected


def test_login_with_the_columns_alone(postgres: Postgres, fresh: str) -> None:
    """Where an administrator has granted the columns that are named, and nothing else, asking the tables works."""
    postgres.execute(
        fresh,
        "CREATE ROLE granted LOGIN; GRANT SELECT ON user_roles TO granted;"
        "GRANT SELECT (id, account_id, role_id, email, locale, settings, confirmed_at, approved, disabled) ON users"
        " TO granted;"
        "GRANT SELECT (id, username, suspended_at, memorial, requested_deletion_at) ON accounts TO granted",
    )
    expected = ask(socket_address(postgres, fresh)).verdicts
    assert ask(socket_address(postgres, fresh, "granted")).verdicts == expected


def test_function_of_another_owner_is_not_used(postgres: Postgres, fresh: str) -> None:
    """A function that would run with our own login's rights, or belongs to a stranger, is passed over."""
    for rights in ("SECURITY INVOKER", "SECURITY DEFINER"):
        postgres.execute(
            fresh,
            "CREATE SCHEMA IF NOT EXISTS mastodon_update_check; GRANT USAGE ON SCHEMA mastodon_update_check TO PUBLIC;"
            "CREATE OR REPLACE FUNCTION mastodon_update_check.staff() RETURNS SETOF jsonb LANGUAGE sql"
            f" {rights} AS 'SELECT NULL::jsonb'; DO $$ BEGIN CREATE ROLE passer_by; EXCEPTION WHEN OTHERS THEN END $$;"
            "ALTER FUNCTION mastodon_update_check.staff() OWNER TO passer_by",
        )
        assert ask(socket_address(postgres, fresh)).through.startswith("Mastodon's tables as mastodon at ")


def test_function_of_another_time(postgres: Postgres, fresh: str) -> None:
    """A function of ours that answers with something else is an error that says what to do."""
    assert postgres.psql(fresh, INSTALL).returncode == 0
    postgres.execute(
        fresh,
        "DROP FUNCTION mastodon_update_check.staff();"
        "CREATE FUNCTION mastodon_update_check.staff() RETURNS SETOF jsonb LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT NULL::jsonb'; GRANT EXECUTE ON FUNCTION mastodon_update_check.staff() TO _mastodon_update_check",
    )
    with pytest.raises(CheckError) as caught:
        ask(socket_address(postgres, fresh, OWN_ROLE))
    way = f"mastodon_update_check.staff() as {OWN_ROLE} at {postgres.socket}"
    expected = f"{way} returns staff without a valid id: run `mastodon-update-check setup` again"
    assert (caught.value.cause, caught.value.detail) == (Cause.DATABASE, expected)


def test_function_of_0_1_0(postgres: Postgres, fresh: str) -> None:
    """The function that an earlier version made, with whole settings, is read until `setup` is run again."""
    assert postgres.psql(fresh, INSTALL).returncode == 0
    postgres.execute(fresh, "DROP FUNCTION mastodon_update_check.migrations()")
    query = staff_query({"functions": (), "has_roles": True, "has_deletion_requests": False})
    query = query.partition("FROM (")[2].rpartition(") AS answer")[0]
    row = re.sub(r"CASE WHEN left.* END AS settings", "person.settings", query, flags=re.DOTALL)
    postgres.execute(
        fresh,
        "CREATE OR REPLACE FUNCTION mastodon_update_check.staff() RETURNS TABLE (id bigint, role_id bigint, role text,"
        " permissions bigint, everyone_permissions bigint, admin boolean, email text, locale text, settings text,"
        " confirmed boolean, approved boolean, disabled boolean, name text, suspended boolean, memorial boolean,"
        f" being_deleted boolean) LANGUAGE sql SECURITY DEFINER AS $sql${row}$sql$",
    )
    answer = ask(socket_address(postgres, fresh, OWN_ROLE))
    assert answer.verdicts == ask(socket_address(postgres, fresh)).verdicts
    missing = "has no function mastodon_update_check.migrations(): run `mastodon-update-check setup` again"
    assert (answer.migrations, answer.migrations_problem) == (None, f"PostgreSQL at {postgres.socket} {missing}")


@pytest.mark.parametrize("role", [DIRECT, OWN_ROLE])
def test_migrations_and_version(postgres: Postgres, installed: str, role: str) -> None:
    """Both ways return the versions of the migrations that have run, and the server's version."""
    answer = ask(socket_address(postgres, installed, role))
    assert (answer.migrations, answer.migrations_problem) == (frozenset(MIGRATIONS), "")
    assert re.fullmatch(r"[0-9]+\.[0-9]+", answer.server_version)


def test_migrations_that_cannot_be_read(postgres: Postgres, fresh: str) -> None:
    """A missing table leaves the staff known, and says why the migrations are not."""
    postgres.execute(fresh, "DROP TABLE schema_migrations")
    answer = ask(socket_address(postgres, fresh))
    assert answer.verdicts
    missing = 'relation "public.schema_migrations" does not exist'
    assert missing in answer.migrations_problem
    assert answer.migrations is None


def test_installing_twice_and_undoing_twice(postgres: Postgres, fresh: str, installed: str) -> None:
    """Both scripts can be run again; undoing leaves nothing here, and the role to the other database that uses it."""
    assert [postgres.psql(fresh, INSTALL).returncode for _ in range(2)] == [0, 0]
    assert ask(socket_address(postgres, fresh, OWN_ROLE)).verdicts
    undone = [postgres.psql(fresh, UNDO) for _ in range(2)]
    assert [each.returncode for each in undone] == [0, 0]
    assert all("the role _mastodon_update_check stays: it is used in another database" in u.stderr for u in undone)
    assert ask(socket_address(postgres, installed, OWN_ROLE)).verdicts
    with pytest.raises(CheckError) as caught:
        ask(socket_address(postgres, fresh, OWN_ROLE))
    expected = "does not let the role _mastodon_update_check read Mastodon's tables: run "
    assert expected in caught.value.detail
