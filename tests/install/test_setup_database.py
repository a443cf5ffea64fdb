"""Role and function in Mastodon's database: made, refused, or left to the administrator."""

import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from install.host import CONFIG, COPY, ENV, LOADED, ROOT, Host, session, set_up
from mastodon.databases import OWN_ROLE
from mastodon_update_check.mastodon.sql import read_sql
from simulators.postgres import Postgres


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ("DB_HOST=db.example\n", "the database is on another host, db.example"),
        ("DATABASE_URL=postgres://u:secret-word@db.example:25060/m\n", "the database is on another host, db.example"),
        ("DB_NAME=host=evil.example\n", "DB_NAME has characters"),
        ("DB_NAME=postgresql://evil.example/x\n", "DB_NAME has characters"),
        ("DB_NAME='a\nb'\n", "the DB_ variables holds control characters"),
        ("DB_NAME=-c\n", "DB_NAME has characters"),
        ("DB_NAME=\"a' requirepeer='mastodon\"\n", "DB_NAME has characters"),
        ("DB_HOST='/tmp/a b'\n", "DB_HOST has characters"),
        ("DB_PORT=5432x\n", "the DB_ variables: expected a port number from 1 to 65535"),
        ("DATABASE_URL=postgres://[\n", "DATABASE_URL is not a URL as Rails reads it"),
        ("DB_HOST=/x,evil.example\n", "the DB_ variables: expected one host, got a list"),
        ("DB_HOST=@/x\n", "the DB_ variables: expected a host name, an address or the directory of a socket"),
        ("", "user postgres cannot connect to mastodon_production on port 5432: psql: error"),
    ],
)
def test_no_role(host: Host, env: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the role cannot be made this is said, with the way out; the rest is set up with Mastodon's login."""
    host.install(ENV + env)
    host.add_socket()
    assert set_up(host)
    out = capsys.readouterr().out
    assert words in out
    assert "--print-sql" in out
    assert "secret-word" not in out
    assert "UPDATE_CHECK_DATABASE_URL" not in host.read(CONFIG)
    assert "DB_PASS=of-the-database" in host.read(COPY)
    assert not [line for line in host.ran if "psql" in line and "evil" in line]


def test_no_superuser(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A database in a container has no user postgres on the host."""
    host.has_superuser = False
    host.install(ENV)
    assert set_up(host)
    assert (
        "there is no user postgres on this host, for example because the database runs in a container"
        in capsys.readouterr().out
    )


def test_wrong_database(host: Host, postgres: Postgres) -> None:
    """A database that is not Mastodon's is left alone."""
    postgres.create_database("of_something_else", "CREATE TABLE x ()")
    host.add_database(postgres)
    host.install(f"{ENV}DB_HOST={postgres.directory}\nDB_PORT={postgres.port}\nDB_NAME=of_something_else\n")
    assert set_up(host)
    assert "UPDATE_CHECK_DATABASE_URL" not in host.read(CONFIG)
    postgres.drop_database("of_something_else")


def test_owner_of_the_database_as_intruder(with_database: Host, postgres: Postgres, database: str) -> None:
    """The superuser runs no function or operator of the database's owner."""
    postgres.execute(
        database,
        """
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS
          $$ BEGIN ALTER ROLE mastodon SUPERUSER; RETURN pg_catalog.to_regclass($1); END $$;
        CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE plpgsql AS
          $$ BEGIN ALTER ROLE mastodon SUPERUSER; RETURN 'x'; END $$;
        """,
        "mastodon",
    )
    postgres.execute(database, f"ALTER DATABASE {database} SET search_path = evil, pg_catalog, public", "mastodon")
    postgres.execute(database, f"ALTER DATABASE {database} SET default_transaction_read_only = on", "mastodon")
    assert set_up(with_database)
    with closing(postgres.connect("postgres")) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'mastodon'").fetchone() == (False,)
    assert "UPDATE_CHECK_DATABASE_URL" in with_database.read(CONFIG)


def test_postgresql_that_is_stopped(with_database: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that does not run takes no login away: it is named, and the one of the last setup stays."""
    set_up(with_database)
    before = with_database.read(CONFIG)
    for socket in with_database.prefix.rglob(".s.PGSQL.*"):
        socket.unlink()
    assert set_up(with_database)
    assert with_database.read(CONFIG) == before
    assert "could not be brought up to date: PostgreSQL is not running on this host" in capsys.readouterr().out


def test_login_of_another_database(with_database: Host) -> None:
    """When Mastodon's settings name another host, the login of the last setup is no longer written."""
    set_up(with_database)
    (with_database.real(ROOT) / ".env.production").write_text(f"{ENV}DB_HOST=db.example\n")
    assert set_up(with_database)
    assert "\nUPDATE_CHECK_DATABASE_URL" not in with_database.read(CONFIG)
    assert session(with_database).undo()
    assert with_database.commands("setpriv --reuid=postgres")


def test_undo_beside_another(with_database: Host, postgres: Postgres, database: str) -> None:
    """The role stays for as long as another server of this host uses it in the same database."""
    second = Path("/srv/second")
    with_database.install((with_database.real(ROOT) / ".env.production").read_text(), second)
    with_database.units["mastodon-update-check@second.service"] = LOADED
    set_up(with_database, root=ROOT)
    set_up(with_database, root=second, name="second")
    roles = "SELECT FROM pg_namespace WHERE nspname = 'mastodon_update_check'"
    with closing(postgres.connect(database)) as connection:
        for name, left in (("second", 1), ("", 0)):
            assert session(with_database, name=name).undo()
            assert left == connection.execute(roles).rowcount


def test_ready_line(postgres: Postgres, database: str, tmp_path: Path) -> None:
    """A shell that runs the line for this host, as it is printed above the script, makes the role."""
    line = next(line for line in read_sql("install").splitlines() if "runuser" in line).partition(":")[2].strip()
    line = line.replace("mastodon_production", f"{database} -h {postgres.directory} -p {postgres.port}")
    (tmp_path / "script").write_text(read_sql("install"))
    (tmp_path / "runuser").write_text('#!/bin/sh\nshift 3; exec "$@"\n')
    (tmp_path / "runuser").chmod(0o755)
    path = f"{tmp_path}:{postgres.program('psql').parent}:/usr/bin:/bin"
    command = f"cat {tmp_path}/script | {line}"
    subprocess.run(["sh", "-euc", command], check=True, env={"PATH": path, "PGUSER": "postgres"})
    with closing(postgres.connect(database, OWN_ROLE)) as connection:
        assert connection.execute("SELECT count(*) FROM mastodon_update_check.staff()").fetchone() != (0,)
