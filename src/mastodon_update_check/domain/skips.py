"""Releases that the administrator has decided to pass over: neither told, nor reminded of, nor alarmed about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.versions import MastodonVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """One decision to pass a release over; it holds until the release turns urgent that was not."""

    version: MastodonVersion
    urgent: bool
    """Whether it was urgent then."""
    skipped_at: datetime

    def covers(self, update: UpdateNotice) -> bool:
        """Whether `update` is passed over with it: who passes 4.5.21 over does not want 4.5.20 either."""
        same_branch = update.version.branch == self.version.branch
        return same_branch and update.version <= self.version and (self.urgent or not update.urgent)

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the ledger keeps it."""
        return {"version": self.version.stored, "urgent": self.urgent, "skipped_at": self.skipped_at.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(
            version=MastodonVersion.parse(data["version"]),
            urgent=data["urgent"],
            skipped_at=datetime.fromisoformat(data["skipped_at"]),
        )


def is_skipped(update: UpdateNotice, skips: Iterable[Skip]) -> bool:
    """Whether `update` is passed over."""
    return any(skip.covers(update) for skip in skips)


def lifted_skips(skips: Iterable[Skip], updates: Iterable[UpdateNotice]) -> tuple[Skip, ...]:
    """Return the skips that hold no longer: their release has turned urgent since."""
    urgent = {update.version for update in updates if update.urgent}
    return tuple(skip for skip in skips if not skip.urgent and skip.version in urgent)
