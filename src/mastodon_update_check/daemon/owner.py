"""Ownership of the ledger by the daemon: a lock file on this machine, and a lease where the ledger is in PostgreSQL."""

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger import processes
from mastodon_update_check.ledger.engine import Transaction
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.location import SCHEMES, find_location
from mastodon_update_check.logs import log

if TYPE_CHECKING:
    from mastodon_update_check.ledger.lease import Lease
    from mastodon_update_check.ledger.postgres_session import PostgresSession

RENEWAL_SECONDS = 5.0
"""How often `LedgerOwner.keep` is to be called."""
_LEASE_SECONDS = 20.0


class LedgerOwner:
    """Makes this daemon the owner, or a standby that waits for ownership."""

    def __init__(self, prepared: Mapping[str, Any]) -> None:
        self._lock = FileLock(prepared["presence"])
        self._instance = str(prepared["instance"])
        self._lease: Lease | None = None
        self._session: PostgresSession | None = None
        self._host = socket.gethostname()
        self.is_owner = self._is_standby = False
        self._renewed_at = float("-inf")
        self.has_requests = False
        """Whether the last call of `keep` found requests in a shared ledger; on one machine, a signal reports them."""
        if str(prepared["ledger"]).startswith(SCHEMES):
            from mastodon_update_check.ledger.postgres_location import PostgresLocation

            location = find_location(str(prepared["ledger"]))
            assert isinstance(location, PostgresLocation)  # noqa: S101 - by its scheme
            self._session, self._lease = location.open(), location.ownership(self._host)

    @property
    def token(self) -> str:
        """Return the token that children verify in each write transaction."""
        return "" if self._lease is None else self._lease.token

    @property
    def descriptor(self) -> int | None:
        """Return the lock's descriptor, which children inherit."""
        return self._lock.descriptor

    def keep(self) -> str:
        """Become the owner or stay it, if possible, and give a heartbeat; return why the ledger cannot be used."""
        self.has_requests = False
        was_owner, problem = self.is_owner, ""
        try:
            self.is_owner = self._keep()
        except LedgerError as error:
            is_lease_valid = self._lease is None or time.monotonic() - self._renewed_at < _LEASE_SECONDS
            self.is_owner = self.is_owner and is_lease_valid
            problem = str(error)
        if was_owner and not self.is_owner:
            self._is_standby = True
            log.warning("owner.lost", detail=problem or "another process owns the ledger now")
        elif not problem and self.is_owner == self._is_standby:
            self._is_standby = not self.is_owner
            detail = "another process owns the ledger" if self._is_standby else "this daemon owns the ledger now"
            log.info("owner.waiting" if self._is_standby else "owner.taken", detail=detail)
        return problem

    def _keep(self) -> bool:
        try:
            is_held = self._lock.renew()
        except LedgerError:  # of a shared ledger the lease counts, not this machine's disk
            if self._lease is None:
                raise
            is_held = True
        if not is_held:
            self._lock.release()  # its file was deleted, perhaps with the ledger: take the new one
            if not self._lock.acquire(is_daemon=True):
                return False
        if self._lease is None:
            return True
        now = time.monotonic()
        if now - self._renewed_at < RENEWAL_SECONDS * 0.9:
            return self._lease.token != ""
        is_owner = self._lease.renew() or self._lease.acquire(is_daemon=True)
        self._renewed_at = now
        if self._session is not None:
            with self._session.recording() as connection:
                transaction = Transaction(connection, self._instance)
                processes.record_heartbeat(transaction, self._host, datetime.now(UTC))
                self.has_requests = is_owner and processes.has_requests(transaction)
        return is_owner

    def leave(self) -> None:
        """Release ownership."""
        with suppress(LedgerError):  # the lease runs out
            if self._session is not None:
                with self._session.recording() as connection:
                    processes.leave(Transaction(connection, self._instance), self._host)
            if self._lease is not None:
                self._lease.release()
        self._lock.release()
