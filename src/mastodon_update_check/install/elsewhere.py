r"""Command lines that an administrator can copy, to create the role where `setup` cannot. Pure.

They precede the script as SQL comments, with the names from Mastodon's settings, whose owner may be hostile: a newline
would end the comment, and whitespace or a quote has a meaning in the shell. Therefore only names without such
characters are taken, and each word is quoted nevertheless.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.install.database import (
    DEFAULT_NAME,
    DEFAULT_PORT,
    SUPERUSER,
    DatabaseName,
    read_database_name,
)
from mastodon_update_check.install.discovery import Installation
from mastodon_update_check.mastodon.database_address import OWN_ROLE, SOCKET_DIRECTORY

_SCRIPT: Final = "mastodon-update-check setup --print-sql |"
_PSQL: Final = ("psql", "-X", "-v", "ON_ERROR_STOP=1")
_USUAL: Final = DatabaseName(host="localhost", port=DEFAULT_PORT, name=DEFAULT_NAME)
_USUAL_ELSEWHERE: Final = replace(_USUAL, host="db.example")


def explain(found: Sequence[Installation], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield how to run the script for each Mastodon that was found; if none was, for the one in the environment."""
    for one in found:
        yield from _explain(f"Mastodon in {clean(str(one.root))}", one.variables, "; ".join(one.problems))
    if not found and environ.keys().isdisjoint({"DATABASE_URL", "DB_HOST", "DB_NAME"}):
        yield from _explain("This host", {}, "no Mastodon was found")
    elif not found:
        yield from _explain("The environment", environ, "")


def _explain(subject: str, variables: Mapping[str, str], problem: str) -> Iterator[str]:
    wanted = problem or read_database_name(variables)
    if isinstance(wanted, str):
        yield f"{subject}: {wanted}. These are the usual names."
        yield from (*_on_this_host(_USUAL), *_in_compose(_USUAL), *_elsewhere(_USUAL_ELSEWHERE))
        wanted = _USUAL_ELSEWHERE
    else:
        yield f"{subject} names the database {wanted.name} at {wanted.host}, port {wanted.port}."
        yield from _on_this_host(wanted) if wanted.is_local else ()
        yield from _in_compose(wanted)
        yield from () if wanted.is_local else _elsewhere(wanted)
    if not wanted.host.startswith("/"):
        yield from _login(wanted)


def _on_this_host(wanted: DatabaseName) -> Iterator[str]:
    place = ("-h", wanted.host) if wanted.host.startswith("/") and wanted.host != SOCKET_DIRECTORY else ()
    yield "On this host (if that port is a pooler's, put PostgreSQL's own):"
    yield _line("runuser", "-u", SUPERUSER, "--", *_PSQL, *place, "-p", str(wanted.port), "-d", wanted.name)


def _in_compose(wanted: DatabaseName) -> Iterator[str]:
    service = "db" if wanted.is_local and not wanted.host.startswith("/") else wanted.host
    if set("/.:,") & set(service):  # a directory of this host, or more than the one word that a service has
        return
    other = "" if wanted.user in {"", SUPERUSER} else f" (with -U {wanted.user}, if that is its POSTGRES_USER)"
    yield f"In docker compose{other}:"
    yield _line("docker", "compose", "exec", "-T", service, *_PSQL, "-U", SUPERUSER, "-d", wanted.name)


def _elsewhere(wanted: DatabaseName) -> Iterator[str]:
    yield "Managed, or on another host, as an administrator of the database:"
    yield _line(*_PSQL, "-h", wanted.host, "-p", str(wanted.port), "-U", "ADMINISTRATOR", "-d", wanted.name)


def _login(wanted: DatabaseName) -> Iterator[str]:
    yield f"Unless user {SUPERUSER} of this host made the role, give it a password (psql: \\password {OWN_ROLE})"
    yield "and put into config.env:"
    login = f"host={wanted.host} port={wanted.port} dbname={wanted.name} user={OWN_ROLE} password=…"
    yield f"  UPDATE_CHECK_DATABASE_URL='{login}'"


def _line(*words: str) -> str:
    return f"  {_SCRIPT} {shlex.join(words)}"
