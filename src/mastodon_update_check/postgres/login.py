"""Logging in to PostgreSQL: who asks where, and what went wrong, as a sentence that an administrator can act on.

PostgreSQL has codes for what happens after the login (SQLSTATE, appendix A of its documentation). For the login itself
libpq hands over words only, which are English unless the server speaks another language; words that are not known
here are passed on as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.http.net import CONNECT_SECONDS

if TYPE_CHECKING:
    import psycopg

_LOGIN_FAULTS: Final = (
    (
        r"password authentication failed|SASL authentication failed",
        "refuses the password of the role {role}: check {origin}",
    ),
    (r"no password supplied", "wants a password for the role {role}, and there is none in {origin}"),
    (
        r"Peer authentication failed|Ident authentication failed",
        (
            "does not take this process for the role {role}: over a socket each system user has the role of its own"
            " name; {remedy}, or set {variable}"
        ),
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "lets nobody in as the role {role} from this host: check its pg_hba.conf ({words})",
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
    (r"does not support SSL", "speaks no TLS, and sslmode={sslmode} asks for it"),
    (
        r"root certificate file .* does not exist",
        (
            "cannot be checked: sslmode={sslmode} needs the certificate of its authority;"
            " name the file with sslrootcert in {variable}"
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
    (r"\bSSL\b|certificate", "does not get through with TLS: {words}"),
    (
        r"failed to resolve host|could not translate host name",
        "cannot be found, for the name of its host is not known: check {origin}",
    ),
    (
        r"No such file or directory",
        "has no such socket: is it running? Check {origin}",
    ),
    (r"Permission denied", "cannot be reached: this process may not open its socket"),
    (r"Connection refused", "refuses the connection: is it running? Check {origin}"),
    (r"timeout expired|timed out", "did not answer in time"),
    (
        r"closed the connection unexpectedly|Connection reset|expected authentication request",
        "broke the conversation off: is this really PostgreSQL?",
    ),
)
"""Translation of libpq, PostgreSQL 9.5 to 18 and PgBouncer, and what they mean; the first that is found counts."""

_SCHEMES: Final = frozenset({"postgres", "postgresql", "postgis"})
_ESCAPE: Final = "holds a password whose signs must be escaped: / is written %2F, ? %3F, # %23 and @ %40"
_PREAMBLE: Final = re.compile(
    r"^.*?(FATAL|ERROR): *|^connection (failed|is bad): (.* failed: )?|^consuming input failed: "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks, where; fit to be shown."""

    place: str
    database: str
    role: str
    sslmode: str
    origin: str
    """Where the login comes from, as an administrator would say."""
    variable: str
    """The variable that any other login may be named in."""
    remedy: str
    """What makes the role, as an order."""

    @classmethod
    def of(cls, parameters: Mapping[str, str], origin: str, variable: str, remedy: str) -> "Login":
        """Return the login that these libpq parameters stand for."""
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
        # Its words repeat pieces of the string, passwords too: neither they nor the error go any further.
        given = None
    # What is no number there may be a piece of a password.
    if given is None or not re.fullmatch(r"[\s\d,]*", str(given.get("port") or "")):
        raise LoginError(f"{origin} is no connection string that PostgreSQL's libpq can read")
    return {name: str(text) for name, text in given.items() if text is not None}


def refuse_misread(conninfo: str, origin: str) -> None:
    """Raise `LoginError` for a URL that would be cut in the wrong place."""
    if is_misread(conninfo):
        raise LoginError(f"{origin} {_ESCAPE}")


def connect(
    login: Login, parameters: Mapping[str, str], seconds: float = CONNECT_SECONDS
) -> "psycopg.Connection[tuple[Any, ...]]":
    """Log in, fit for PgBouncer in transaction mode: no options at the start, nothing prepared.

    Args:
        login: the same parameters, as they may be shown.
        parameters: libpq's.
        seconds: how long it may take for each address of the host; whole seconds, at least two (libpq).

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
    """Return what the server itself said, without libpq's account of the attempt."""
    said = [line for line in words.splitlines() if line.strip()]
    line = next((line for line in said if "FATAL:" in line or "ERROR:" in line), said[0] if said else "no reason given")
    return clean(_PREAMBLE.sub("", line))


def is_misread(conninfo: str) -> bool:
    """Whether a URL holds a password with signs that are not escaped, which libpq would take for host and database.

    The sentences about hosts would repeat it.
    """
    scheme, _, rest = conninfo.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    names = (parameter.partition("=")[0] for parameter in query.split("&"))
    return scheme in _SCHEMES and (authority.count("@") > 1 or any("@" in one for one in (path, *names)))
