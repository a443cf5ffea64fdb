"""The result of a check in a form that a request's answer holds, for the command that asked."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.jobs.check import CheckReport


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The output of `check`, without the state of the server, which is in the ledger."""

    began_at: str
    """ISO 8601."""
    queried_version: str | None
    has_answer: bool
    error: str
    """Why the check failed; empty when it did not."""
    off_reason: str
    planned: int
    new: tuple[str, ...]
    """The versions with newly planned notices."""
    marked: int

    @classmethod
    def of(cls, report: CheckReport) -> Self:
        """Return the result of a report."""
        planned = {one.notice for message in report.plan.messages for one in message.decisions}
        return cls(
            began_at=report.began_at.isoformat(),
            queried_version=report.queried_version,
            has_answer=report.has_answer,
            error=str(report.error or ""),
            off_reason=report.off_reason,
            planned=len(report.plan.messages),
            new=tuple(sorted(str(notice.version) for notice in planned if isinstance(notice, UpdateNotice))),
            marked=report.marked,
        )

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read back what `to_json` returned."""
        return cls(**{**fields, "new": tuple(fields["new"])})

    def to_json(self) -> dict[str, object]:
        """Return it as JSON takes it."""
        return asdict(self)

    @property
    def started_at(self) -> datetime:
        """The instant of the check."""
        return datetime.fromisoformat(self.began_at)
