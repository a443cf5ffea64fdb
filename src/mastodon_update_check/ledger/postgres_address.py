"""Where a ledger in PostgreSQL is: libpq's connection URL and a schema; and its errors, in words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import parse_qsl, quote, urlencode

import psycopg

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError
from mastodon_update_check.ledger.engine import DamagedRowError
from mastodon_update_check.postgres.login import Login, LoginError, last_line, read_conninfo, refuse_misread

WAYS_OUT: Final = "restore a backup of it, or start a new one with `mastodon-update-check ledger new`"
_SCHEMA: Final = "mastodon_update_check_ledger"
"""The schema, when none is named; not the one of `mastodon/sql/install.sql`, which is for asking only."""
_NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,39}")
_DEFAULTS: Final = {
    # A host that is gone is found out, whether something was under way (the last) or not.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
_CODES: Final = {
    "25006": (
        "can only be read, as on a standby: name the primary, or name them all with "
        "?target_session_attrs=read-write in UPDATE_CHECK_LEDGER"
    ),
    "42501": (
        "does not let the role {role} do that: as the owner of the database, run GRANT CREATE ON DATABASE {database} "
        'TO "{role}"; the role must also own the schema {schema} and its tables'
    ),
    "53100": "cannot be written: the server's disk is full; nothing is sent until there is room",
    "55P03": "is locked by another process: try again, or end what holds it",
    "57014": "took too long: is the server overloaded?",
    "22P05": "cannot hold every letter: the database must be made with the encoding UTF8",
}
_GONE: Final = frozenset({"3F000", "42P01"})
_DAMAGED: Final = "XX"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """A database, a login, a schema; `str()` of it is fit to be shown."""

    login: Login
    schema: str

    def __str__(self) -> str:
        return f"PostgreSQL at {self.login.place} (schema {self.schema} of the database {self.login.database})"

    @classmethod
    def parse(cls, url: str, origin: str) -> Self:
        """Read a URL; `schema=…` in its query names another schema, `origin` the setting in errors.

        Raises `LoginError` if it cannot be read; the sentence repeats nothing of it.
        """
        # Before anything else: in a URL that is cut in the wrong place, any piece may be the password's.
        refuse_misread(url, origin)
        base, _, query = url.partition("?")
        try:
            asked = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError:
            raise LoginError(f"{origin} has a query (behind the ?) that cannot be read") from None
        schema = dict(asked).get("schema", _SCHEMA)
        if not _NAME.fullmatch(schema):
            raise LoginError(
                f"{origin} names a schema that cannot be used: expected up to 40 small letters, digits and _, and no "
                "pg_ in front"
            )
        rest = urlencode([(name, text) for name, text in asked if name != "schema"], quote_via=quote)
        login = Login(
            parameters=MappingProxyType({**_DEFAULTS, **read_conninfo(f"{base}?{rest}", origin)}),
            origin=origin,
            variable="UPDATE_CHECK_LEDGER",
            remedy="make it with CREATE ROLE … LOGIN",
        )
        return cls(login=login, schema=schema)

    @contextmanager
    def translated(self, guard: SocketGuard | None = None) -> Iterator[None]:
        """Turn every error of PostgreSQL and of the way to it into a `LedgerError` that says what to do."""
        try:
            yield
        except psycopg.Error as error:
            is_late = guard is not None and guard.expired
            why = "did not answer in time" if is_late else self._explain(error)
            raise LedgerError(f"the ledger in {self} {why}") from error
        except TimeLimitError as error:
            raise LedgerError(f"the ledger in {self} cannot be reached: the login {error}") from error
        except LoginError as error:
            raise LedgerError(f"the ledger cannot be used: {error}") from error
        except DamagedRowError as error:
            raise LedgerError(f"the ledger in {self} is damaged: {error}; {WAYS_OUT}") from error

    def _explain(self, error: psycopg.Error) -> str:
        code, words = error.sqlstate, error.diag.message_primary or str(error)
        if code is None:
            return f"cannot be reached any more: {clean(last_line(words))}"
        if code in _CODES:
            return _CODES[code].format(role=self.login.role, schema=self.schema, database=self.login.database)
        if code in _GONE or code.startswith(_DAMAGED):
            return f"is {'gone' if code in _GONE else 'damaged'} ({clean(words)}); {WAYS_OUT}"
        return f"cannot be used ({code}: {clean(words)})"
