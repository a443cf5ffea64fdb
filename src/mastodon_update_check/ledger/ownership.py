"""Ownership: exactly one process at a time plans and delivers for a ledger."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that owns a ledger."""

    host: str
    pid: int
    """0 where it is not known: on another machine, or while only a child process holds the lock."""
    is_daemon: bool
    alive_at: datetime
    """Last heartbeat, aware, UTC."""


class Ownership(Protocol):
    """One process's right to a ledger: a lock on this machine, or a lease in PostgreSQL."""

    @property
    def token(self) -> str:
        """What write transactions verify; empty where the operating system guarantees ownership."""

    @property
    def descriptor(self) -> int | None:
        """A descriptor that child processes inherit, so that the right ends when the last of them has ended."""

    def acquire(self, *, is_daemon: bool) -> bool:
        """Become the owner; return False while another process is.

        Raises:
            LedgerError: the ledger cannot be used.
        """

    def renew(self) -> bool:
        """Extend the right and give a heartbeat; return False when it has been lost.

        Raises:
            LedgerError: the ledger cannot be used.
        """

    def renewed(self) -> AbstractContextManager[None]:
        """Keep the right for the duration of the block, which does not call `renew`."""

    def release(self) -> None:
        """Give the right back."""

    def owner(self) -> Owner | None:
        """Return the present owner, if there is one.

        Raises:
            LedgerError: the ledger cannot be used.
        """
