"""What can go wrong with a ledger in PostgreSQL, each in a sentence that names it and a way out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import psycopg

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.http.time_limit import TimeLimitError
from mastodon_update_check.ledger.stored import DamagedRowError
from mastodon_update_check.postgres.login import LoginError, last_line

if TYPE_CHECKING:
    from mastodon_update_check.http.time_limit import Deadline
    from mastodon_update_check.ledger.postgres_address import PostgresAddress

WAYS_OUT: Final = "restore a backup of it, or start a new one with `mastodon-update-check ledger new`"
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


@contextmanager
def translated(address: "PostgresAddress", deadline: "Deadline | None" = None) -> Iterator[None]:
    """Turn every error of PostgreSQL and of the way to it into a `LedgerError` that says what to do."""
    try:
        yield
    except psycopg.Error as error:
        if deadline is not None and deadline.expired:
            raise LedgerError(f"the ledger in {address} did not answer in time") from error
        raise LedgerError(f"the ledger in {address} {_explain(error, address)}") from error
    except TimeLimitError as error:
        raise LedgerError(f"the ledger in {address} cannot be reached: the login {error}") from error
    except LoginError as error:
        raise LedgerError(f"the ledger cannot be used: {error}") from error
    except DamagedRowError as error:
        raise LedgerError(f"the ledger in {address} is damaged: {error}; {WAYS_OUT}") from error


def _explain(error: psycopg.Error, address: "PostgresAddress") -> str:
    code, words = error.sqlstate, error.diag.message_primary or str(error)
    if code is None:
        return f"cannot be reached any more: {clean(last_line(words))}"
    if code in _CODES:
        return _CODES[code].format(role=address.login.role, schema=address.schema, database=address.login.database)
    if code in _GONE:
        return f"is gone ({clean(words)}); {WAYS_OUT}"
    if code.startswith(_DAMAGED):
        return f"is damaged ({clean(words)}); {WAYS_OUT}"
    return f"cannot be used ({code}: {clean(words)})"
