"""Mastodon's database as its server's superuser sees it: `psql`, as user postgres, over the socket.

The names come from Mastodon's file, whose owner may be hostile, and owns the database: the names are taken only if they
mean nothing else to anybody, the server must be run by postgres itself, and no name in a statement is looked up where
the database's owner could have put something.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install.found import DatabaseName, Server
from mastodon_update_check.install.texts import PATH
from mastodon_update_check.mastodon.database_address import SOCKET_DIRECTORY

SUPERUSER: Final = "postgres"
DEFAULT_PORT: Final = 5432
DEFAULT_NAME: Final = "mastodon_production"
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
"""A name that is neither an option nor a connection string."""
_HOST: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:,_-]{0,252}|::1")
"""A host, several of them, or an address."""
_SOCKET: Final = re.compile(r"\.s\.PGSQL\.([0-9]{1,5})")
_PORTS: Final = range(1, 1 << 16)
_OPTIONS: Final = "PGOPTIONS=-c search_path=pg_catalog -c default_transaction_read_only=off"
_QUESTION: Final = """\
SELECT pg_catalog.to_regclass('public.users') IS NOT NULL AND pg_catalog.to_regclass('public.accounts') IS NOT NULL;
"""


def read_database_name(variables: Mapping[str, str]) -> DatabaseName | str:
    """Return where Mastodon's variables say that its database is; a sentence when they cannot be taken."""
    host, port, name, user = (variables.get(key, "") for key in ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER"))
    if url := variables.get("DATABASE_URL", "").strip():
        try:
            parts = urlsplit(url)
            path, login = unquote(parts.path.removeprefix("/")), unquote(parts.username or "")
            in_url = (unquote(parts.hostname or ""), str(parts.port or ""), path, login)
        except ValueError:
            return "DATABASE_URL is not understood"
        others = (host, port, name, user)
        host, port, name, user = (given or other for given, other in zip(in_url, others, strict=True))
    host, port, name, user = (text.strip() for text in (host, port, name, user))
    if port and not (port.isascii() and port.isdecimal() and len(port) <= len("65535") and int(port) in _PORTS):
        return "DB_PORT is not a port"
    if name and not NAME.fullmatch(name):
        return "DB_NAME holds signs that setup does not handle"
    if host and not (PATH if host.startswith("/") else _HOST).fullmatch(host):
        return "DB_HOST holds signs that setup does not handle"
    return DatabaseName(
        host=host or "localhost",
        port=int(port or DEFAULT_PORT),
        name=name or DEFAULT_NAME,
        user=user if NAME.fullmatch(user) else "",
    )


def find_server(machine: Machine, wanted: DatabaseName) -> Server | str:
    """Return the database when user postgres gets into it on this host; else a sentence that says why not."""
    if not wanted.is_local:
        return f"the database is on another host, {clean(wanted.host)}"
    if machine.find_account(SUPERUSER) is None:
        return f"there is no user {SUPERUSER} on this host, as where the database runs in a container"
    directory = wanted.host if wanted.host.startswith("/") else SOCKET_DIRECTORY
    reasons = []
    for port in _ports(machine, directory, wanted.port):
        server = Server(directory=directory, port=port, name=wanted.name)
        answer = psql(machine, server, _QUESTION)
        if answer.has_worked and answer.out.strip() == "t":
            return server
        reasons.append(_reason(answer, server))
    return reasons[0]


def psql(machine: Machine, server: Server, script: str) -> Finished:
    """Run a script as the superuser."""
    return machine.run((*login_command(server), "--no-align", "--tuples-only"), script)


def login_command(server: Server) -> Sequence[str]:
    """Return the command that `psql` runs by; what it says besides comes from the script."""
    # Not the server of somebody who has put a socket there; nor any password, nor a start-up file.
    address = f"host={server.directory} port={server.port} dbname={server.name} requirepeer={SUPERUSER}"
    return (
        *("runuser", "-u", SUPERUSER, "--", "env", _OPTIONS, "PGPASSFILE=/nonexistent"),
        *("psql", "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", f"--dbname={address}"),
    )


def _ports(machine: Machine, directory: str, first: int) -> list[int]:
    """Return the port that Mastodon uses, which may be a pooler's, and those of the other servers there."""
    from pathlib import Path

    place = machine.real(Path(directory))
    names = sorted(path.name for path in place.iterdir()) if place.is_dir() else []
    others = [int(match[1]) for name in names if (match := _SOCKET.fullmatch(name))]
    return list(dict.fromkeys((first, *others)))[:10]


def _reason(answer: Finished, server: Server) -> str:
    if answer.has_worked:
        return f"the database {server.name} on port {server.port} is not Mastodon's: it has no users and accounts"
    said = clean(answer.err.strip().rpartition("\n")[2] or "it says nothing", 160)
    return f"user {SUPERUSER} does not get into {server.name} on port {server.port}: {said}"
