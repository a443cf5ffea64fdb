"""Ask Mastodon's PostgreSQL: read-only, in one short transaction, without any state of the session.

So it works through PgBouncer in transaction mode: nothing is prepared by name, no startup options, `SET LOCAL` only.
Every row is one JSON text; rows are read one by one and counted, since a hostile server may ignore a LIMIT. The name
resolver, libpq and the answers of the server stay in a process of their own, whose time and memory the kernel limits.
"""

import contextlib
import json
import resource
import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.pq import Conninfo

from mastodon_update_check.mastodon.database_address import OWN_ROLE, VARIABLE
from mastodon_update_check.mastodon.sql import migrations_query, read_sql, staff_query
from mastodon_update_check.postgres.login import Login, LoginError, last_line, read_conninfo

STAFF_ROWS: Final = 1000
MIGRATION_ROWS: Final = 10_000
TOTAL_BYTES: Final = 4 * 1024 * 1024
"""Longest answer of a database: a thousand rows with every text at its limit have about 3 MB."""
_REMEDY: Final = "run `mastodon-update-check setup`"
_FORMAT: Final = f"answers in an unknown format: {_REMEDY} again"
# Not `service`: libpq looks even for an empty one. The environment of the process has no PG variables.
_NO_FILES: Final = {
    **dict.fromkeys(
        ("gsslib", "passfile", "sslcert", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslpassword"), ""
    ),
    "gssencmode": "disable",
    "require_auth": "none,password,md5,scram-sha-256",
    "sslcertmode": "disable",
    "sslrootcert": "",
}
"""For a login from Mastodon's file: libpq opens no file, not even a default one, and asks no Kerberos server."""

_CODES: Final = {
    "42501": "does not let the role {role} read Mastodon's tables: {remedy}, or give another login in {variable}",
    "55P03": "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again",
    "57014": "took too long to answer, and the query was cancelled: is it overloaded?",
}
_UNKNOWN_NAME: Final = "42"
"""Class of syntax errors and of names that do not exist: not the schema of any known Mastodon."""


def main(logins: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]) -> None:
    """Limit this process, ask, and print each event as a line of JSON."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, also inside a library
    signal.setitimer(signal.ITIMER_REAL, limits["total"])
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = limits["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it would hold the password
    for event in ask_each(logins, limits):
        print(json.dumps(event), flush=True)  # noqa: T201 - the protocol


def ask_each(logins: Sequence[Mapping[str, Any]], limits: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Try each login until one gives an answer; yield one object for each event.

    Each attempt begins with `place`, for the case that the process ends in the middle of it, and ends with `failure`, a
    sentence, or with `answer`.
    """
    known = {option.keyword.decode() for option in Conninfo.get_defaults()}
    no_files = {name: text for name, text in _NO_FILES.items() if name in known}
    for one in logins:
        try:
            given, origin = one["conninfo"], one["origin"]
            parameters = read_conninfo(given, origin) if given else {**one["parameters"], **no_files}
            login = Login(parameters=parameters, origin=origin, variable=VARIABLE, remedy=_REMEDY)
            yield {"place": login.place}
            yield {"answer": _ask(login, limits)}
        except LoginError as error:
            yield {"failure": str(error)}
        else:
            return


def _ask(login: Login, limits: Mapping[str, Any]) -> dict[str, Any]:
    with contextlib.closing(login.connect(limits["connect"])) as connection:
        try:
            return _Conversation(connection, login).hold(limits)
        except psycopg.Error as error:
            raise LoginError(explain_query(login, error)) from error
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise LoginError(login.say(_FORMAT)) from error


class _Conversation:
    """One transaction; counts the bytes of all rows."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], login: Login) -> None:
        self._connection = connection
        self._login = login
        self._bytes = 0

    def hold(self, limits: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for the staff, and for the migrations, whose failure is a part of the answer."""
        timeouts = (f"SET LOCAL {name}_timeout = {int(limits[name] * 1000)}" for name in ("statement", "lock"))
        self._connection.execute("; ".join(("BEGIN READ ONLY", *timeouts)).encode())
        schema = {name: value for row in self._read(read_sql("schema"), 1) for name, value in row.items()}
        if not schema.get("has_users"):
            raise LoginError(self._login.say("has no Mastodon in {database}: check {origin}"))
        functions = schema["functions"]
        through = "mastodon_update_check.staff()" if "staff" in functions else "Mastodon's tables"
        rows, migrations = self._read(staff_query(schema), STAFF_ROWS + 1), self._ask_migrations(functions)
        self._connection.execute(b"COMMIT")  # or else PgBouncer would close its connection to the server
        return {
            "rows": rows,
            "through": f"{through} as {self._login.role} at {self._login.place}",
            "may_write": schema["may_write"],
            "server_version": schema["server_version"],
            **migrations,
        }

    def _ask_migrations(self, functions: list[str]) -> dict[str, Any]:
        try:
            rows = self._read(migrations_query(functions=functions), MIGRATION_ROWS)
        except psycopg.Error as error:
            why = explain_query(self._login, error)
            if self._login.role == OWN_ROLE and "migrations" not in functions:
                why = self._login.say("has no function mastodon_update_check.migrations(): {remedy} again")
            return {"migrations": None, "migrations_problem": why}
        return {"migrations": [row.get("version") for row in rows], "migrations_problem": ""}

    def _read(self, query: str, limit: int) -> list[dict[str, Any]]:
        """Return the rows, each of which is one JSON object."""
        rows: list[dict[str, Any]] = []
        with self._connection.cursor() as cursor:
            for values in cursor.stream(query.encode()):
                try:
                    text = str(*values)
                    self._bytes += len(text.encode())
                    if len(rows) == limit or self._bytes > TOTAL_BYTES:
                        too_much = f"answers with more than {TOTAL_BYTES} bytes, or too many rows"
                        raise LoginError(self._login.say(too_much))  # noqa: TRY301 - the connection is ended first
                    rows.append({**json.loads(text)})
                except (LoginError, TypeError, ValueError, RecursionError):
                    self._connection.pgconn.finish()  # or else psycopg would read the rest
                    raise
        return rows


def explain_query(login: Login, error: psycopg.Error) -> str:
    """Return the sentence about a query that failed."""
    code, words = error.sqlstate, error.diag.message_primary or str(error)
    if code is None:
        return login.say("closed the connection: {words}", last_line(words))
    if code in _CODES:
        return login.say(_CODES[code])
    if code.startswith(_UNKNOWN_NAME):
        return login.say("has a schema in {database} that no known Mastodon has: {words}", words)
    return login.say("fails with {words}", f"{code}: {words}")
