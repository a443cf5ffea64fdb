"""What went wrong with the database, as a sentence that an administrator can act on.

PostgreSQL has codes for what happens after the login (SQLSTATE, appendix A of its documentation). For the login itself
libpq hands over words only, which are English unless the server speaks another language; words that are not known
here are passed on as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mastodon_update_check.core.text import clean

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
            " name; run packaging/postgresql/install.sql there, or set UPDATE_CHECK_DATABASE_URL"
        ),
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "lets nobody in as the role {role} from this host: check its pg_hba.conf ({words})",
    ),
    (
        r'role "[^"]*" does not exist|no such user',
        "has no role {role}: run packaging/postgresql/install.sql there, or check {origin}",
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
    (r"starting up|shutting down|in recovery mode|not yet accepting", "is starting or stopping"),
    (r"does not support SSL", "speaks no TLS, and sslmode={sslmode} asks for it"),
    (
        r"root certificate file .* does not exist",
        (
            "cannot be checked: sslmode={sslmode} needs the certificate of its authority;"
            " name the file with sslrootcert in UPDATE_CHECK_DATABASE_URL"
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
"""Words of libpq, PostgreSQL 9.5 to 18 and PgBouncer, and what they mean; the first that is found counts."""

_PREAMBLE: Final = re.compile(
    r"^.*?(FATAL|ERROR): *|^connection (failed|is bad): (.* failed: )?|^consuming input failed: "
)
_STOPPING: Final = "is starting or stopping"
_CODES: Final = {
    "42501": (
        "does not let the role {role} read Mastodon's tables: run packaging/postgresql/install.sql there,"
        " or give another login with UPDATE_CHECK_DATABASE_URL"
    ),
    "55P03": "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again",
    "57014": "took too long to answer, and the question was cancelled: is it overloaded?",
    "57P01": _STOPPING,
    "57P02": _STOPPING,
    "57P03": _STOPPING,
    "53300": "has no connection left for the role {role}",
}
_NOT_KNOWN: Final = "42"
"""Class of syntax errors and of names that do not exist: another schema than any that is known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks, where; fit to be shown."""

    place: str
    database: str
    role: str
    sslmode: str
    origin: str

    @classmethod
    def of(cls, parameters: Mapping[str, str], origin: str) -> "Login":
        """Return the login that these libpq parameters stand for."""
        host = parameters.get("host") or parameters.get("hostaddr") or "the default socket"
        port = parameters.get("port") or "5432"
        place = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else host if " " in host else f"{host}:{port}"
        return cls(
            place=clean(place, 100),
            database=clean(parameters.get("dbname", "of the same name"), 80),
            role=clean(parameters.get("user", "of this system user"), 80),
            sslmode=clean(parameters.get("sslmode", "prefer"), 20),
            origin=origin,
        )

    def say(self, fault: str, words: str = "") -> str:
        """Return the sentence about this server that ends with `fault`."""
        shown = fault.format(
            role=self.role, database=self.database, sslmode=self.sslmode, origin=self.origin, words=words
        )
        return f"PostgreSQL at {self.place} {shown}"


def explain_login(login: Login, words: str) -> str:
    """Return the sentence about a login that failed with these words."""
    fault = next((fault for pattern, fault in _LOGIN_FAULTS if re.search(pattern, words)), "")
    return login.say(fault or "refuses the login as {role}: {words}", _last_line(words))


def explain_question(login: Login, code: str | None, words: str) -> str:
    """Return the sentence about a question that failed with this SQLSTATE and these words."""
    if code in _CODES:
        return login.say(_CODES[code])
    if code is not None and code.startswith(_NOT_KNOWN):
        return login.say("has another schema in {database} than any Mastodon that is known here: {words}", clean(words))
    if code is None:
        return login.say("broke the conversation off: {words}", _last_line(words))
    return login.say("fails with {words}", clean(f"{code}: {words}"))


def _last_line(words: str) -> str:
    """Return what the server itself said, without libpq's account of the attempt."""
    said = [line for line in words.splitlines() if line.strip()]
    line = next((line for line in said if "FATAL:" in line or "ERROR:" in line), said[0] if said else "no reason given")
    return clean(_PREAMBLE.sub("", line))
