"""`explain --json`."""

from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.jobs.explain import Explanation
from mastodon_update_check.ledger.history import HistoryEntry, PastAttempt
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.payload import describe_details
from mastodon_update_check.monitoring.status import iso


def describe_explanation(found: Explanation) -> dict[str, object]:
    """Return the object that is printed."""
    known, asked = found.known, found.asked
    details = known.details_of(found.update.version) if found.update else None
    return {
        "asked": {
            "version": str(asked.version) if asked.version else None,
            "branch": asked.branch or None,
            "address": asked.address or None,
            "user": asked.name or None,
            "sink": asked.sink or None,
        },
        "installed_version": known.installed.text if known.installed else None,
        "last_check_at": iso(known.checked_at),
        "pending": found.update is not None,
        "details": describe_details(details) if details else None,
        "recipients": [_describe_recipient(one) for one in found.recipients],
        "deliveries": [_describe_entry(entry) for entry in found.entries],
        "decisions": [
            {
                **_describe_recipient(one.recipient),
                **_describe_reason(one.notice, str(one.reason), one.recipient),
                "told": one.reason.notifies,
            }
            for one in found.decisions
        ],
        "staff_not_told": [
            {"name": one.name, "role": one.role or None, "reason": str(one.reason)} for one in found.not_told
        ],
        "warnings": list(found.warnings),
    }


def _describe_recipient(recipient: Recipient) -> dict[str, object]:
    return {
        "sink": recipient.sink,
        "name": recipient.name or None,
        "address": recipient.address or None,
        "preference": str(recipient.preference),
    }


def _describe_reason(notice: Notice, reason: str, recipient: Recipient) -> dict[str, object]:
    return {"notice": name_notice(notice), "reason": reason, "explanation": explain_reason(reason, recipient)}


def _describe_entry(entry: HistoryEntry) -> dict[str, object]:
    return {
        **_describe_recipient(entry.recipient),
        **_describe_reason(entry.notice, entry.reason, entry.recipient),
        "address": entry.address or None,
        "identity": entry.identity,
        "state": str(entry.state),
        "planned_at": iso(entry.planned_at),
        "settled_at": iso(entry.settled_at),
        "message_id": entry.message_id,
        "next_attempt_at": iso(entry.due_at) if entry.is_undelivered else None,
        "stopped": entry.is_stopped,
        "attempts": [_describe_attempt(attempt) for attempt in entry.attempts],
    }


def _describe_attempt(attempt: PastAttempt) -> dict[str, object]:
    return {
        "number": attempt.number,
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
        "outcome": str(attempt.outcome) if attempt.outcome else None,
        "reply": hide_secrets(attempt.reply) or None,
    }
