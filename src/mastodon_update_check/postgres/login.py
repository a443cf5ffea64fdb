"""Log in to PostgreSQL. The error of a login that fails has libpq's own words, and advice where these are known.

The words are English unless the server speaks another language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.http.secrets import shown

if TYPE_CHECKING:
    import psycopg

_ADVICE: Final = (
    (
        "Peer authentication|Ident authentication",
        "over a socket each system user has the role of the same name: {remedy}, or set {variable}",
    ),
    ("password|SASL", "check the password in {origin}"),
    ('role "[^"]*" does not exist|no such user', "{remedy}, or check {origin}"),
    ("not permitted to log in", "ALTER ROLE … LOGIN allows it"),
    ("permission denied for database", "GRANT CONNECT allows it"),
    ('database "[^"]*" does not exist|no such database|resolve host|translate host', "check {origin}"),
    ("No such file or directory|Connection refused", "is it running? Check {origin}"),
    ("timeout expired|timed out", "it did not answer in time"),
    ("unexpectedly|Connection reset|expected authentication request|invalid response", "is this PostgreSQL?"),
    ("root certificate file", "sslrootcert in {variable} can name it; files that other variables name are not opened"),
)
"""Advice about texts of libpq, PostgreSQL 9.5 to 18 and PgBouncer; the first match counts."""

SCHEMES: Final = frozenset({"postgres", "postgresql", "postgis"})
_PREAMBLE = re.compile(r"^.*?(FATAL|ERROR): *|^connection (failed|is bad): (.* failed: )?|^consuming input failed: ")


class LoginError(Exception):
    """The login cannot be tried, or failed; the text is a sentence without secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login, and the words to describe it."""

    parameters: Mapping[str, str] = field(repr=False)
    """libpq's; they may hold a password."""
    origin: str
    """The setting that gives it."""
    variable: str
    """The setting that can give another one."""
    remedy: str
    """How to make the role, as an imperative."""

    @property
    def place(self) -> str:
        """Host and port, or the socket; of several hosts, all."""
        hosts = (self.parameters.get("host") or self.parameters.get("hostaddr") or "").split(",")
        ports = (self.parameters.get("port") or "5432").split(",")
        pairs = zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=False)
        return clean(" or ".join(_write_place(host, port or "5432") for host, port in pairs), 100)

    @property
    def database(self) -> str:
        """The name of the database."""
        return clean(self.parameters.get("dbname", "of the same name"), 80)

    @property
    def role(self) -> str:
        """The role."""
        return clean(self.parameters.get("user", "of this system user"), 80)

    def say(self, fault: str, words: str = "") -> str:
        """Return the sentence about this server that ends with `fault`; `words` are the server's own."""
        names = {name: getattr(self, name) for name in ("database", "role", "origin", "variable", "remedy")}
        said = shown(words, [self.parameters.get("password", "")])
        return f"PostgreSQL at {self.place} {fault.format(words=said, **names)}"

    def explain(self, words: str) -> str:
        """Return the sentence about a login that failed with these words."""
        advice = next((f"; {advice}" for pattern, advice in _ADVICE if re.search(pattern, words)), "")
        return self.say(f"cannot be used as the role {{role}}: {{words}}{advice}", last_line(words))

    def connect(self, seconds: float) -> "psycopg.Connection[tuple[Any, ...]]":
        """Log in as PgBouncer in transaction mode requires: without startup options or prepared statements.

        `seconds` limits each address of the host (at least two, for libpq). Raises `LoginError`.
        """
        import psycopg
        from psycopg.conninfo import make_conninfo

        # An empty `options` keeps those of PGOPTIONS away, which PgBouncer would refuse.
        ours = {"connect_timeout": str(int(seconds)), "client_encoding": "UTF8"}
        stated = {"application_name": "mastodon-update-check", "options": "", **self.parameters, **ours}
        try:
            return psycopg.connect(make_conninfo("", **stated), autocommit=True, prepare_threshold=None)
        except (psycopg.Error, UnicodeError) as error:
            raise LoginError(self.explain(str(error))) from error


def _write_place(host: str, port: str) -> str:
    if not host:
        return "the default socket"
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else f"{host}:{port}"


def read_conninfo(conninfo: str, origin: str) -> dict[str, str]:
    """Return the libpq parameters that a connection string gives; raise `LoginError` if it cannot be read."""
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
    """Raise `LoginError` for a URL whose password has unescaped characters, which libpq would read as the host."""
    scheme, _, rest = conninfo.partition("://")
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    names = (parameter.partition("=")[0] for parameter in query.split("&"))
    if scheme in SCHEMES and (authority.count("@") > 1 or any("@" in one for one in (path, *names))):
        advice = "must be escaped: write %2F for /, %3F for ?, %23 for # and %40 for @"
        raise LoginError(f"{origin} has a password whose special characters {advice}")


def last_line(words: str) -> str:
    """Return the server's own words, without libpq's description of the attempt."""
    said = [line for line in words.splitlines() if line.strip()]
    line = next((line for line in said if "FATAL:" in line or "ERROR:" in line), said[0] if said else "no reason given")
    return _PREAMBLE.sub("", line)
