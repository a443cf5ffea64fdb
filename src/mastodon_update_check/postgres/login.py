"""Log in to PostgreSQL, and explain a login that fails in a sentence that an administrator can act on.

PostgreSQL has codes for errors after the login (SQLSTATE). For the login itself libpq returns only a text, which is
English unless the server speaks another language. An unknown text is passed on.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from mastodon_update_check.domain.text import clean

if TYPE_CHECKING:
    import psycopg

CONNECT_SECONDS: Final = 5.0
_LOGIN_FAULTS: Final = (
    (
        r"password authentication failed|SASL authentication failed",
        "refuses the password of the role {role}: check {origin}",
    ),
    (r"no password supplied", "requires a password for the role {role}: set it in {origin}"),
    (
        r"Peer authentication failed|Ident authentication failed",
        (
            "does not let this system user log in as the role {role}: over a socket each user has the role of the same"
            " name; {remedy}, or set {variable}"
        ),
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "does not let the role {role} log in from this host: check its pg_hba.conf ({words})",
    ),
    (
        r'role "[^"]*" does not exist|no such user',
        "has no role {role}: {remedy}, or check {origin}",
    ),
    (
        r'role "[^"]*" is not permitted to log in',
        "does not let the role {role} log in: ALTER ROLE … LOGIN allows it",
    ),
    (
        r'database "[^"]*" does not exist|no such database',
        "has no database {database}: check {origin}",
    ),
    (
        r"permission denied for database",
        "does not let the role {role} into the database {database}: GRANT CONNECT allows it",
    ),
    (
        r"too many clients|connection slots|too many connections|no more connections",
        "has no connection left for the role {role}",
    ),
    (
        r"session is read-only|is in hot standby mode",
        "can only be read, as on a standby: is the primary running?",
    ),
    (r"starting up|shutting down|in recovery mode|not yet accepting", "is starting or stopping"),
    (r"does not support SSL", "does not support TLS, which sslmode={sslmode} requires"),
    (
        r"root certificate file .* does not exist",
        (
            "cannot be verified: sslmode={sslmode} needs the certificate of its authority, in a file that sslrootcert"
            " in {variable} names; files that other variables name are not opened"
        ),
    ),
    (
        r"does not match host name|server certificate for",
        "has a certificate for another host, which sslmode={sslmode} refuses",
    ),
    (
        r"certificate verify failed",
        "has a certificate of an authority that is not trusted, which sslmode={sslmode} refuses",
    ),
    (r"\bSSL\b|certificate", "cannot be reached with TLS: {words}"),
    (
        r"failed to resolve host|could not translate host name",
        "cannot be found, because the name of its host does not resolve: check {origin}",
    ),
    (
        r"No such file or directory",
        "does not have this socket: is it running? Check {origin}",
    ),
    (r"Permission denied", "cannot be reached: this process may not open its socket"),
    (r"Connection refused", "refuses the connection: is it running? Check {origin}"),
    (r"timeout expired|timed out", "did not answer in time"),
    (
        r"closed the connection unexpectedly|Connection reset|expected authentication request",
        "closed the connection: is this PostgreSQL?",
    ),
)
"""Texts of libpq, PostgreSQL 9.5 to 18 and PgBouncer, and their meaning; the first match counts."""

_SCHEMES: Final = frozenset({"postgres", "postgresql", "postgis"})
ESCAPE_ADVICE: Final = (
    "has a password whose special characters must be escaped: write %2F for /, %3F for ?, %23 for # and %40 for @"
)
_PREAMBLE: Final = re.compile(
    r"^.*?(FATAL|ERROR): *|^connection (failed|is bad): (.* failed: )?|^consuming input failed: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """The parts of a login that may be shown."""

    place: str
    database: str
    role: str
    sslmode: str
    origin: str
    """The variables that the login comes from."""
    variable: str
    """The variable that can name another login."""
    remedy: str
    """How to make the role, as an imperative."""

    @classmethod
    def of(cls, parameters: Mapping[str, str], origin: str, variable: str, remedy: str) -> "Login":
        """Return the login of these libpq parameters."""
        hosts = (parameters.get("host") or parameters.get("hostaddr") or "the default socket").split(",")
        ports = (parameters.get("port") or "5432").split(",")
        pairs = zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=False)
        return cls(
            place=clean(" or ".join(_write_place(host, port or "5432") for host, port in pairs), 100),
            database=clean(parameters.get("dbname", "of the same name"), 80),
            role=clean(parameters.get("user", "of this system user"), 80),
            sslmode=clean(parameters.get("sslmode", "prefer"), 20),
            origin=origin,
            variable=variable,
            remedy=remedy,
        )

    def say(self, fault: str, words: str = "") -> str:
        """Return the sentence about this server that ends with `fault`."""
        return f"PostgreSQL at {self.place} {fault.format(words=words, **asdict(self))}"


def _write_place(host: str, port: str) -> str:
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else host if " " in host else f"{host}:{port}"


class LoginError(Exception):
    """The login cannot be tried, or failed; the text is a sentence without secrets."""


def read_conninfo(conninfo: str, origin: str) -> dict[str, str]:
    """Return the libpq parameters that a connection string gives.

    Raises:
        LoginError: it cannot be read.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    refuse_misread(conninfo, origin)
    try:
        given = conninfo_to_dict(conninfo)
    except ProgrammingError:
        # Its text repeats parts of the string, passwords too: it must not be chained or shown.
        given = None
    # A port that is not a number may be a part of a password.
    if given is None or not re.fullmatch(r"[\s\d,]*", str(given.get("port") or "")):
        raise LoginError(f"{origin} is not a connection string that PostgreSQL's libpq can read")
    return {name: str(text) for name, text in given.items() if text is not None}


def refuse_misread(conninfo: str, origin: str) -> None:
    """Raise `LoginError` for a URL that would be cut in the wrong place."""
    if is_misread(conninfo):
        raise LoginError(f"{origin} {ESCAPE_ADVICE}")


def connect(
    login: Login, parameters: Mapping[str, str], seconds: float = CONNECT_SECONDS
) -> "psycopg.Connection[tuple[Any, ...]]":
    """Log in as PgBouncer in transaction mode requires: without startup options or prepared statements.

    Args:
        login: the same parameters, fit to be shown.
        parameters: libpq's; nothing is filtered.
        seconds: limit for each address of the host; whole seconds, at least two (libpq).

    Raises:
        LoginError: it failed.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    # An empty `options` keeps those of PGOPTIONS away, which PgBouncer would refuse.
    ours = {"connect_timeout": str(int(seconds)), "client_encoding": "UTF8"}
    stated = {"application_name": "mastodon-update-check", "options": "", **parameters, **ours}
    try:
        return psycopg.connect(make_conninfo("", **stated), autocommit=True, prepare_threshold=None)
    except (psycopg.Error, UnicodeError) as error:
        words = str(error)
        if password := parameters.get("password"):
            words = words.replace(password, "…")
        raise LoginError(explain_login(login, words)) from error


def explain_login(login: Login, words: str) -> str:
    """Return the sentence about a login that failed with these words."""
    fault = next((fault for pattern, fault in _LOGIN_FAULTS if re.search(pattern, words)), "")
    return login.say(fault or "refuses the login as {role}: {words}", last_line(words))


def last_line(words: str) -> str:
    """Return the server's own words, without libpq's description of the attempt."""
    said = [line for line in words.splitlines() if line.strip()]
    line = next((line for line in said if "FATAL:" in line or "ERROR:" in line), said[0] if said else "no reason given")
    return clean(_PREAMBLE.sub("", line))


def is_misread(conninfo: str) -> bool:
    """Whether a URL has a password with unescaped characters, which libpq would read as host and database.

    Errors about the host would repeat it.
    """
    scheme, _, rest = conninfo.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    names = (parameter.partition("=")[0] for parameter in query.split("&"))
    return scheme in _SCHEMES and (authority.count("@") > 1 or any("@" in one for one in (path, *names)))
