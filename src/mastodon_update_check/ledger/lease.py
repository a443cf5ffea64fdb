"""The lease on a ledger in PostgreSQL: one row, valid for 20 s, renewed every 5 s, by the server's clock.

It works through PgBouncer in transaction mode: nothing depends on a session. Every write transaction verifies the
token first, while it holds the row that serialises writers (`PostgresSession.writing`).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.engine import read_stamp, stamp
from mastodon_update_check.ledger.processes import Owner

if TYPE_CHECKING:
    from mastodon_update_check.ledger.postgres_session import PostgresSession

LEASE = timedelta(seconds=20)
RENEWAL = timedelta(seconds=5)

_TAKE = """
    INSERT INTO owner (id, token, host, is_daemon, until_at) VALUES (1, :token, :host, :is_daemon, :until)
    ON CONFLICT (id) DO UPDATE
    SET token = excluded.token, host = excluded.host, is_daemon = excluded.is_daemon, until_at = excluded.until_at
    WHERE owner.until_at <= :now OR owner.token = excluded.token
"""


class Lease:
    """Ownership of a ledger in PostgreSQL."""

    def __init__(self, connect: "Callable[[], PostgresSession]", host: str) -> None:
        self._connect = connect
        self._host = host
        self._is_daemon = False
        self._session: PostgresSession | None = None
        self.token = ""

    def acquire(self, *, is_daemon: bool) -> bool:
        """Take the lease if it is free or has run out. A new token shuts out children of a former ownership."""
        self._is_daemon = is_daemon
        self.token = uuid4().hex
        if not self._take():
            self.token = ""
            self.close()
        return self.token != ""

    def renew(self) -> bool:
        """Extend the lease; return False when another process has taken it."""
        return self.token != "" and self._take()

    def _take(self) -> bool:
        with self._opened().renewing() as connection:
            parameters = {
                "token": self.token,
                "host": self._host,
                "is_daemon": int(self._is_daemon),
                "now": stamp(connection.now),
                "until": stamp(connection.now + LEASE),
            }
            return bool(connection.execute(_TAKE, parameters).rowcount)

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Renew the lease in a thread for the duration of the block."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(RENEWAL.total_seconds()):
                with suppress(LedgerError):  # the next one may work; every transaction verifies the token
                    self.renew()

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def release(self) -> None:
        """Let the lease run out now."""
        token, self.token = self.token, ""
        try:
            if token:
                with self._opened().renewing() as connection:
                    connection.execute("UPDATE owner SET until_at = ? WHERE token = ?", (stamp(connection.now), token))
        finally:
            self.close()

    def close(self) -> None:
        """Close the connection; the lease stays until it runs out."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def owner(self) -> Owner | None:
        """Return the owner; None if the lease is free or has run out."""
        with closing(self._connect()) as session, session.reading() as connection:
            row = connection.execute(
                "SELECT host, is_daemon, until_at FROM owner WHERE until_at > ?", (stamp(connection.now),)
            ).fetchone()
        until = read_stamp(row["until_at"]) if row else None
        if until is None:
            return None
        return Owner(host=row["host"], pid=0, is_daemon=bool(row["is_daemon"]), alive_at=until - LEASE)

    def _opened(self) -> "PostgresSession":
        if self._session is None:
            self._session = self._connect()
        return self._session
