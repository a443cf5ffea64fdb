"""`explain --json`."""

from collections.abc import Iterable, Iterator

from mastodon_update_check.domain.planning.plan import Decision
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.jobs.explain import Explanation
from mastodon_update_check.ledger.history import HistoryEntry, PastAttempt
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.payload import describe_known_details
from mastodon_update_check.monitoring.status_json import iso


def describe_account(account: Explanation) -> dict[str, object]:
    """Return the object that is printed."""
    known, asked = account.known, account.asked
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
        "pending": account.update is not None,
        "details": describe_known_details(known, account.update),
        "recipients": [_describe_recipient(one) for one in account.recipients],
        "deliveries": [_entry_to_json(entry) for entry in account.entries],
        "decisions": [_decision_to_json(one) for one in account.decisions],
        "staff_not_told": [
            {"name": one.name, "role": one.role or None, "reason": str(one.reason)} for one in account.not_told
        ],
        "warnings": list(account.warnings),
    }


def _describe_recipient(recipient: Recipient) -> dict[str, object]:
    return {
        "sink": recipient.sink,
        "name": recipient.name or None,
        "address": recipient.address or None,
        "preference": str(recipient.preference),
    }


def _entry_to_json(entry: HistoryEntry) -> dict[str, object]:
    return {
        **_describe_recipient(entry.recipient),
        "address": entry.address or None,
        "notice": name_notice(entry.notice),
        "identity": entry.identity,
        "state": str(entry.state),
        "reason": entry.reason,
        "explanation": explain_reason(entry.reason, entry.recipient),
        "planned_at": iso(entry.planned_at),
        "settled_at": iso(entry.settled_at),
        "message_id": entry.message_id,
        "next_attempt_at": iso(entry.due_at) if entry.is_undelivered else None,
        "stopped": entry.is_stopped,
        "attempts": list(_attempts_to_json(entry.attempts)),
    }


def _attempts_to_json(attempts: Iterable[PastAttempt]) -> Iterator[dict[str, object]]:
    for attempt in attempts:
        yield {
            "number": attempt.number,
            "started_at": iso(attempt.started_at),
            "ended_at": iso(attempt.ended_at),
            "outcome": str(attempt.outcome) if attempt.outcome else None,
            "reply": hide_secrets(attempt.reply) or None,
        }


def _decision_to_json(one: Decision) -> dict[str, object]:
    return {
        **_describe_recipient(one.recipient),
        "notice": name_notice(one.notice),
        "told": one.reason.notifies,
        "reason": str(one.reason),
        "explanation": explain_reason(one.reason, one.recipient),
    }
