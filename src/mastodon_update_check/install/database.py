"""Mastodon's database as user postgres of this host sees it: `psql` over the socket, never over TCP.

The names come from Mastodon's settings, whose owner may be hostile and owns the database. Therefore a name is taken
only if no character of it has a meaning elsewhere, the server must be run by postgres itself, statements look no name
up where the database's owner could have put something, and output and time are bounded.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from mastodon_update_check.config.settings import VARIABLES
from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.mastodon.database_address import OWN_ROLE, find_addresses

_SUPERUSER: Final = "postgres"
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
"""A name that is neither an option nor a connection string."""
SEARCH_LIMIT: Final = timedelta(seconds=30)
_DIRECTORY: Final = re.compile(r"/[A-Za-z0-9/._+@=-]*")
"""Exactly one absolute path: a comma would separate it from another host."""
_SOCKET: Final = re.compile(r"\.s\.PGSQL\.([0-9]{1,5})")
_VARIABLES = {"host": "DB_HOST", "port": "DB_PORT", "dbname": "DB_NAME", "user": "DB_USER", "sslmode": "DB_SSLMODE"}
_NAMES_READ: Final = 10_000
"""Of the directory of sockets, which Mastodon's file names."""
_OPTIONS: Final = (
    "PGOPTIONS=-c search_path=pg_catalog -c default_transaction_read_only=off "
    "-c statement_timeout=20s -c lock_timeout=10s"
)
_QUESTION: Final = """\
SELECT pg_catalog.to_regclass('public.users') IS NOT NULL AND pg_catalog.to_regclass('public.accounts') IS NOT NULL;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database of Mastodon's to which user postgres can connect over the socket."""

    directory: str
    port: int
    name: str

    @property
    def login(self) -> str:
        """The libpq connection string of the service."""
        return f"host={self.directory} port={self.port} dbname={self.name} user={OWN_ROLE}"


def read_server(variables: Mapping[str, str]) -> Server | str:
    """Return the database that Mastodon's variables name, where our role would log in; a sentence when it cannot."""
    given = {key: str(variables.get(name, VARIABLES[name].default)).strip() for key, name in _VARIABLES.items()}
    given["port"] = given["port"] or str(VARIABLES["DB_PORT"].default)
    login, *_ = find_addresses("", variables.get("DATABASE_URL", "").strip(), given, OWN_ROLE)
    if login.problem:
        return login.problem
    directory, port, name = (login.parameters[key] for key in ("host", "port", "dbname"))
    if not directory.startswith("/"):
        return f"the database is on another host, {clean(directory)}"
    if not _NAME.fullmatch(name):
        return "DB_NAME has characters that setup does not accept"
    if not _DIRECTORY.fullmatch(directory):
        return "DB_HOST has characters that setup does not accept"
    return Server(directory=directory, port=int(port), name=name)


def find_server(machine: Machine, wanted: Server) -> Server | str:
    """Return the database when user postgres can connect to it on this host; else a sentence that says why not."""
    if machine.find_account(_SUPERUSER) is None:
        return f"there is no user {_SUPERUSER} on this host, for example because the database runs in a container"
    ports = _ports(machine, wanted.directory, wanted.port)
    if not ports:
        return f"PostgreSQL is not running on this host: there is no socket in {wanted.directory}"
    end = time.monotonic() + SEARCH_LIMIT.total_seconds()
    reasons = []
    for port in ports:
        server = replace(wanted, port=port)
        answer = machine.run(psql(server), _QUESTION, timedelta(seconds=end - time.monotonic()))
        if answer.has_worked and answer.out.strip() == "t":
            return server
        reasons.append(_reason(answer, server))
        if time.monotonic() > end:
            break
    return reasons[0]


def psql(server: Server) -> tuple[str, ...]:
    """Return the command that runs a script as the superuser of a server on this host."""
    # requirepeer: not the server of a user who has put a socket there. No password, no start-up file.
    address = (
        f"host={server.directory} port={server.port} dbname={server.name} requirepeer={_SUPERUSER} connect_timeout=5"
    )
    return (
        *("setpriv", f"--reuid={_SUPERUSER}", f"--regid={_SUPERUSER}", "--init-groups", "--no-new-privs", "--"),
        *("env", _OPTIONS, "PGPASSFILE=/nonexistent", "HOME=/nonexistent"),
        *("psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", f"--dbname={address}"),
        *("--no-align", "--tuples-only"),
    )


def _ports(machine: Machine, directory: str, first: int) -> list[int]:
    """Return the ports of the sockets in a directory; first the one of Mastodon's settings, which may be a pooler's."""
    place = machine.real(Path(directory))
    names = islice((path.name for path in place.iterdir()), _NAMES_READ) if place.is_dir() else ()
    found = [int(match[1]) for name in sorted(names) if (match := _SOCKET.fullmatch(name))]
    return sorted(found, key=lambda port: port != first)


def _reason(answer: Finished, server: Server) -> str:
    if answer.has_worked:
        return f"the database {server.name} on port {server.port} is not Mastodon's: it has no users and accounts"
    said = clean(answer.err.strip().partition("\n")[0] or f"exit code {answer.code}", 160)
    return f"user {_SUPERUSER} cannot connect to {server.name} on port {server.port}: {said}"
