"""The status of one server at one moment: for `status`, the metrics and the status page."""

from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import Verdict, is_alive, urgent_to_act_on
from mastodon_update_check.ledger.nodes import Node
from mastodon_update_check.ledger.summary import OutboxSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """The contents of the ledger at one moment, and the verdict on them."""

    settings: Settings
    known: ServerState
    outbox: OutboxSummary
    last_beat_at: datetime | None
    nodes: tuple[Node, ...]
    """The daemons of a shared ledger that were not stopped."""
    now: datetime
    verdict: Verdict

    @property
    def is_alive(self) -> bool:
        """Whether the daemon on this machine has a recent heartbeat."""
        return is_alive(self.last_beat_at, self.now)

    @property
    def is_checked(self) -> bool:
        """Whether a daemon checks, here or on another machine."""
        return self.is_alive or any(is_alive(node.alive_at, self.now) for node in self.nodes)

    @property
    def next_check_at(self) -> datetime | None:
        """When the daemon will check next, give or take half of the jitter; None when it is unknown."""
        if not self.is_checked or self.settings.off_reason or self.known.checked_at is None:
            return None
        return max(self.known.checked_at + self.settings.interval, self.now)

    @property
    def urgent_to_act_on(self) -> int:
        """The number of urgent updates to act on."""
        return len(urgent_to_act_on(self.known, self.now))

    @property
    def support_days(self) -> int | None:
        """How many days the installed branch is still supported; negative once it is over."""
        ends_on = self.known.support_ends_on
        return None if ends_on is None or self.known.installed is None else (ends_on - self.now.date()).days
