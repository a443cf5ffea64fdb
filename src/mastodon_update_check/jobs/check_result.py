"""The result of a check: printed by the command that asked, which may be another process than the owner."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The output of `check`, without the state of the server, which is in the ledger; stored as JSON."""

    began_at: datetime
    queried_version: str | None
    has_answer: bool
    """Whether the update server has answered."""
    error: str
    """Why the check failed; empty when it did not."""
    off_reason: str
    """Why the update server was not asked; empty when it was."""
    planned: int
    """Number of messages."""
    new: tuple[str, ...]
    """The versions with newly planned notices."""
    marked: int = 0
    """How many messages were marked as sent without being sent."""
