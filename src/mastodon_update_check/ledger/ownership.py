"""Ownership: exactly one process at a time plans and delivers for a ledger, by a `FileLock` or a `Lease`."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The process that owns a ledger."""

    host: str
    pid: int
    """0 where it is not known: on another machine, or while only a child process holds the lock."""
    is_daemon: bool
    alive_at: datetime
    """Last heartbeat, aware, UTC."""
