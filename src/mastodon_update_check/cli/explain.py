"""`explain`: who was notified when, who was not, and why."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_end_of_support, describe_verdict, name_recipient, print_json
from mastodon_update_check.domain.notices import Notice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.planning.plan import Decision
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.text import minute
from mastodon_update_check.jobs.explain import Explanation, gather
from mastodon_update_check.ledger.history import HistoryEntry, PastAttempt
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages import payload
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.plain import render_block
from mastodon_update_check.messages.release_details import write_details
from mastodon_update_check.messages.sample_content import describe_subscriptions
from mastodon_update_check.monitoring.status import iso
from mastodon_update_check.terminal import progress, say

Item = Sequence[str]
"""A line, and the lines below it."""
_OUTCOMES = {
    Outcome.SENT: "accepted",
    Outcome.DEFERRED: "put off",
    Outcome.FAILED: "refused",
    Outcome.UNKNOWN: "interrupted, the result is unknown",
    None: "running, or interrupted",
}


def execute(app: App, arguments: Namespace) -> int:
    """Print the explanation."""
    with app.find_ledger() as ledger, progress("Asking for the recipients"):
        found = gather(app.settings, ledger, arguments.about, app.clock())
    if arguments.json:
        print_json(_to_json(found))
        return Exit.DONE
    for line in _write(found, app, is_verbose=arguments.verbose):
        say(line)
    return Exit.DONE


def _to_json(found: Explanation) -> dict[str, object]:
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
        "details": payload.describe_details(details) if details else None,
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


def _write(found: Explanation, app: App, *, is_verbose: bool) -> Iterator[str]:
    yield from _describe_release(found, app) if found.asked.subject else _describe_person(found)
    for warning in found.warnings:
        yield f"Warning: {warning}."
    sent = [entry for entry in found.entries if entry.state is DeliveryState.SENT]
    staff = found.not_told if found.asked.subject else ()
    pending: list[Item] = []
    coming: list[Item] = []
    others: list[Item] = [[describe_verdict(one)] for one in staff]
    for entry in found.entries:
        if entry.state is not DeliveryState.SENT:
            (pending if entry.is_undelivered else others).append(_write_entry(entry, found, app))
    for one in found.decisions:
        (coming if one.reason.notifies else others).append(_write_decision(one, found))
    lines = [
        *_section("Notified:", _write_sent(sent, found, is_verbose=is_verbose)),
        *_section("Not delivered yet:", pending),
        *_section("To be notified at the next check:", coming),
        *_section("Not notified:", others),
    ]
    yet = " yet" if found.known.installed is None else ", and there is nothing to notify anyone about"
    yield from lines or [f"No recipient has been notified{yet}."]


def _describe_release(found: Explanation, app: App) -> Iterator[str]:
    known, asked, update = found.known, found.asked, found.update
    if known.installed is None:
        yield f"No check has worked yet, so the installed version of {app.settings.instance} is unknown."
        yield "`mastodon-update-check check` asks for it."
        return
    when = f" (last check: {minute(known.checked_at)})" if known.checked_at else ""
    yield f"{app.settings.instance} runs Mastodon {known.installed.text}{when}."
    if update is not None:
        urgent = "urgent" if update.urgent else "not urgent"
        kind = f"a {update.type} release, {urgent}" if update.type else urgent
        yield f"{update.version} is out and not installed: {kind}. {update.release_notes}".rstrip()
        for block in write_details(update, app.context_of(known)):
            yield from render_block(block).splitlines()
        if known.is_skipped(update):
            yield "It is ignored: no notices and reminders (`skip --undo` ends that)."
    elif asked.version is not None:
        older = "older than that" if asked.version < known.installed else "not listed by the update server"
        yield f"{asked.version} is {'installed' if asked.version == known.installed else older}."
    elif asked.branch == known.installed.branch and known.support_ends_on is not None:
        yield describe_end_of_support(asked.branch, known.support_ends_on, app.clock())
    else:
        yield f"The end of support for {asked.branch} is unknown."


def _describe_person(found: Explanation) -> Iterator[str]:
    for recipient in found.recipients:
        name, sink = name_recipient(recipient), recipient.sink
        gets = f"{name} is notified by {sink} of" if recipient.address else f"{sink} gets"
        yield f"{gets}: {describe_subscriptions(recipient)}."
    for verdict in found.not_told:
        yield f"{describe_verdict(verdict)}, so is not notified."
    if not (found.recipients or found.not_told):
        yield f"{found.asked.words} is not a recipient or a sink now: `mastodon-update-check recipients` lists all."


def _section(title: str, items: Sequence[Item]) -> Iterator[str]:
    """Give a title and its items in order."""
    if not items:
        return
    yield ""
    yield title
    for head, *details in sorted(items, key=list):
        yield f"  {head}"
        yield from (f"      {detail}" for detail in details)


def _write_sent(entries: Iterable[HistoryEntry], found: Explanation, *, is_verbose: bool) -> list[Item]:
    """Give one item for each recipient, or for each notice to one recipient."""
    groups: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.recipient_key if found.asked.subject else entry.identity, []).append(entry)
    items: list[Item] = []
    for group in groups.values():
        last, by_recipient = group[-1], bool(found.asked.subject)
        name = _name(last.recipient, last.address) if by_recipient else name_notice(last.notice)
        times = ", ".join(f"{_settled(entry)}{_form(entry.notice) if by_recipient else ''}" for entry in group)
        attempts = [_write_attempt(attempt) for entry in group for attempt in entry.attempts] if is_verbose else []
        items.append([f"{name}: {times}; {explain_reason(last.reason, last.recipient)}", *attempts])
    return items


def _write_entry(entry: HistoryEntry, found: Explanation, app: App) -> Item:
    """Give a row that is pending, or was given up."""
    head = f"{_head(entry.recipient, entry.notice, found, entry.address)}: planned {minute(entry.planned_at)}"
    reason, attempts = explain_reason(entry.reason, entry.recipient), map(_write_attempt, entry.attempts)
    if entry.is_undelivered:
        return [f"{head}; {reason}", *attempts, _next(entry, app)]
    return [f"{head}, given up {_settled(entry)} because {reason}", *attempts]


def _write_decision(one: Decision, found: Explanation) -> Item:
    return [f"{_head(one.recipient, one.notice, found)}: {explain_reason(one.reason, one.recipient)}"]


def _head(recipient: Recipient, notice: Notice, found: Explanation, address: str = "") -> str:
    """Name the recipient, or the notice, whichever was not asked about."""
    return f"{_name(recipient, address)}{_form(notice)}" if found.asked.subject else name_notice(notice)


def _name(recipient: Recipient, address: str = "") -> str:
    return f"{name_recipient(recipient, address)} by {recipient.sink}" if recipient.address else recipient.sink


def _form(notice: Notice) -> str:
    if isinstance(notice, UpdateNotice):
        return " as urgent" if notice.urgent else ""
    return f" ({name_notice(notice)})"


def _settled(entry: HistoryEntry) -> str:
    return minute(entry.settled_at or entry.planned_at)


def _next(entry: HistoryEntry, app: App) -> str:
    if entry.is_being_sent:
        return "being sent at this moment"
    if entry.is_stopped or entry.due_at is None:
        return "its receiver asked never to be called again (HTTP 410): only another URL helps, or `retry --stopped`"
    if entry.due_at <= app.clock():
        return "due now: the daemon tries it, or `mastodon-update-check check`"
    return f"next attempt {minute(entry.due_at)}, or at once with `mastodon-update-check retry`"


def _write_attempt(attempt: PastAttempt) -> str:
    at = (attempt.ended_at or attempt.started_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    reply = f": {hide_secrets(attempt.reply)}" if attempt.reply else ""
    return f"attempt {attempt.number}, {at}: {_OUTCOMES[attempt.outcome]}{reply}"
