"""Where Mastodon's database is: which logins are tried, and in which order.

The administrator's `UPDATE_CHECK_DATABASE_URL` goes to libpq as it is. Mastodon's file belongs to another user: of its
settings only one host, the port, the database, the user, the password and sslmode are taken, since other parameters
make libpq open files or load code.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from mastodon_update_check.postgres.login import SCHEMES, LoginError, refuse_misread

OWN_ROLE: Final = "_mastodon_update_check"
"""The PostgreSQL role that `sql/install.sql` makes, and the system user of the same name."""
SOCKET_DIRECTORY: Final = "/var/run/postgresql"
"""Where PostgreSQL's sockets are, in the packages of every large distribution and in Mastodon's own guide."""
VARIABLE: Final = "UPDATE_CHECK_DATABASE_URL"

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PLAIN: Final = frozenset({"host", "port", "dbname", "user", "password", "sslmode"})
_OPENS_FILES: Final = frozenset(
    ("passfile", "service", "servicefile", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslrootcert")
)
_SSLMODES: Final = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_HOST_AND_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]*\]|[^:\[\]]*)(?::([0-9]*))?")
_HOST: Final = re.compile(r"/[^,\x00-\x1f\x7f]{0,100}|[0-9A-Za-z._:%-]{1,255}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """One way to log in to Mastodon's database."""

    origin: str
    conninfo: str = field(default="", repr=False)
    """The administrator's libpq connection string, which may hold a password; nothing in it is filtered."""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Where `conninfo` is empty: libpq parameters, which may hold a password."""
    ignored: tuple[str, ...] = ()
    problem: str = ""
    """A sentence that says why this login cannot be tried."""


def find_addresses(own_url: str, rails_url: str, variables: Mapping[str, str], user: str) -> Sequence[DatabaseAddress]:
    """Return the logins to try, in order; `variables` are the `DB_` variables by the names of libpq's parameters.

    1. `UPDATE_CHECK_DATABASE_URL`, and then nothing else.
    2. Our own role at the place that Mastodon's settings name, when the user of this process has the role's name. Peer
       login works over a socket only, so the host's own socket stands for a loopback host.
    3. `DATABASE_URL`, which for Rails overrides the `DB_` variables; without it, the `DB_` variables alone.
    """
    if own_url:
        return (DatabaseAddress(origin=VARIABLE, conninfo=own_url),)
    mastodons = _find_mastodons_login(rails_url, variables)
    if user != OWN_ROLE or mastodons.problem:
        return (mastodons,)
    given = mastodons.parameters
    host = SOCKET_DIRECTORY if given["host"] in _LOOPBACK else given["host"]
    # libpq's default database has the user's name, which is Mastodon's and not ours.
    dbname = given.get("dbname") or given.get("user") or "mastodon"
    own = {name: given[name] for name in ("port", "sslmode")} | {"host": host, "dbname": dbname, "user": OWN_ROLE}
    return (DatabaseAddress(origin=mastodons.origin, parameters=MappingProxyType(own)), mastodons)


def _find_mastodons_login(url: str, variables: Mapping[str, str]) -> DatabaseAddress:
    origin, ignored, found = "the DB_ variables", set[str](), dict(variables)
    if url:
        origin = "DATABASE_URL"
        try:
            in_url = _read_url(url, origin)
        except LoginError as error:
            return DatabaseAddress(origin=origin, problem=str(error))
        ignored = in_url.keys() & _OPENS_FILES
        found |= {name: text for name, text in in_url.items() if text and name in _PLAIN}
    if "sslrootcert" in ignored and found["sslmode"] == "require":
        found["sslmode"] = "verify-ca"  # as in libpq, an authority that is named is checked
    plain = {name: text for name, text in found.items() if text} | {"host": found["host"] or SOCKET_DIRECTORY}
    return DatabaseAddress(
        origin=origin,
        parameters=MappingProxyType(plain),
        ignored=tuple(sorted(ignored)),
        problem=_find_problem(plain, origin),
    )


def _read_url(url: str, origin: str) -> dict[str, str]:
    """Return the parameters of a Rails database URL, those of its query too; raise `LoginError` if it is not one.

    The error repeats nothing of the URL, since any part may be the password's.
    """
    refuse_misread(url, origin)
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError:  # brackets without an IPv6 address, or far too many parameters
        parts, query = urlsplit(""), {}
    login, _, place = parts.netloc.rpartition("@")
    match = _HOST_AND_PORT.fullmatch(place)
    if parts.scheme not in SCHEMES or match is None:
        expected = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        raise LoginError(f"{origin} is not a URL as Rails reads it: expected {expected}")
    user, _, password = login.partition(":")
    texts = {
        "host": match[1].strip("[]"),
        "port": match[2] or "",
        "dbname": parts.path.removeprefix("/"),
        "user": user,
        "password": password,
    }
    return query | {name: unquote(text) for name, text in texts.items() if text}


def _find_problem(plain: Mapping[str, str], origin: str) -> str:
    faults = (
        ("," in plain["host"], ": expected one host, got a list"),
        (not _HOST.fullmatch(plain["host"]), ": expected a host name, an address or the directory of a socket"),
        (not re.fullmatch(r"[0-9]{1,5}", plain["port"]), ": expected a port number from 1 to 65535"),
        (plain["sslmode"] not in _SSLMODES, f": expected an sslmode of {', '.join(sorted(_SSLMODES))}"),
        (any(_CONTROL.search(text) for text in plain.values()), " holds control characters"),
    )
    return next((f"{origin}{fault}: give this login in {VARIABLE}" for is_wrong, fault in faults if is_wrong), "")
