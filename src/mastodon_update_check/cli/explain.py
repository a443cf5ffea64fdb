"""`explain`: who was notified when, who was not, and why."""

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli import output
from mastodon_update_check.cli.output import Exit, pick, print_answer
from mastodon_update_check.domain.notices import Notice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.status import describe_skip
from mastodon_update_check.domain.text import minute
from mastodon_update_check.jobs.explain import Explanation, gather
from mastodon_update_check.ledger.history import HistoryEntry, PastAttempt
from mastodon_update_check.messages import payload
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.recipient_content import describe_subscriptions
from mastodon_update_check.messages.release_details import write_details
from mastodon_update_check.messages.rendering import render_block
from mastodon_update_check.terminal import progress

Item = Sequence[str]
"""A line, and the lines below it."""
_NOTIFIED, _PENDING, _COMING, _OTHERS = _SECTIONS = (
    "Notified:",
    "Not delivered yet:",
    "To be notified at the next check:",
    "Not notified:",
)
_RECIPIENT = ("sink", "name", "address", "preference")
_OUTCOMES = {
    Outcome.SENT: "accepted",
    Outcome.DEFERRED: "deferred",
    Outcome.FAILED: "refused",
    Outcome.UNKNOWN: "interrupted, the result is unknown",
    None: "running, or interrupted",
}


def execute(app: App, arguments: Namespace) -> int:
    """Print the explanation."""
    with app.find_ledger() as ledger, progress("Asking for the recipients"):
        found = gather(app.settings, ledger, arguments.about, app.clock())
    print_answer(arguments, _to_json(found), _write(found, app, is_verbose=arguments.verbose))
    return Exit.DONE


def _to_json(found: Explanation) -> dict[str, object]:
    known, asked = found.known, found.asked
    details = known.details_of(found.update.version) if found.update else None
    return {
        "asked": {**pick(asked, "version", "branch", "address", "sink"), "user": asked.name or None},
        "installed_version": known.installed.text if known.installed else None,
        "last_check_at": known.checked_at,
        "pending": found.update is not None,
        "details": payload.describe_details(details) if details else None,
        "recipients": [pick(one, *_RECIPIENT) for one in found.recipients],
        "deliveries": [_describe_entry(entry) for entry in found.entries],
        "decisions": [
            {**_describe_reason(one.recipient, one.notice, one.reason), "told": one.reason.notifies}
            for one in found.decisions
        ],
        "staff_not_told": [{**pick(one.user, "name", "role"), "reason": one.reason} for one in found.not_told],
        "warnings": found.warnings,
    }


def _describe_reason(recipient: Recipient, notice: Notice, reason: str) -> dict[str, object]:
    why = explain_reason(reason, recipient)
    return {**pick(recipient, *_RECIPIENT), "notice": name_notice(notice), "reason": reason, "explanation": why}


def _describe_entry(entry: HistoryEntry) -> dict[str, object]:
    return {
        **_describe_reason(entry.recipient, entry.notice, entry.reason),
        **pick(entry, "address", "identity", "state", "planned_at", "settled_at", "message_id"),
        "next_attempt_at": entry.due_at if entry.is_undelivered else None,
        "stopped": entry.is_stopped,
        "attempts": [pick(one, "number", "started_at", "ended_at", "outcome", "reply") for one in entry.attempts],
    }


def _write(found: Explanation, app: App, *, is_verbose: bool) -> Iterator[str]:
    yield from _describe_release(found, app) if found.asked.subject else _describe_person(found)
    for warning in found.warnings:
        yield f"Warning: {warning}."
    sections = _sort(found, app, is_verbose=is_verbose)
    for title, items in sections.items():
        yield from ("", title) if items else ()
        for head, *details in sorted(items, key=list):
            yield f"  {head}"
            yield from (f"      {detail}" for detail in details)
    if not any(sections.values()):
        yet = " yet" if found.known.good_at is None else ", and there is nothing to notify anyone about"
        yield f"No recipient has been notified{yet}."


def _describe_release(found: Explanation, app: App) -> Iterator[str]:
    known, asked, update = found.known, found.asked, found.update
    if known.installed is None or known.good_at is None:
        yield f"No check has worked yet, so it is unknown which releases {app.settings.instance} needs."
        yield "`mastodon-update-check check` asks for them."
        return
    when = f" (last check: {minute(known.checked_at)})" if known.checked_at else ""
    yield f"{app.settings.instance} runs Mastodon {known.installed.text}{when}."
    if update is not None:
        urgent = "urgent" if update.urgent else "not urgent"
        kind = f"a {update.type} release, {urgent}" if update.type else urgent
        yield f"{update.version} is out and not installed: {kind}. {update.release_notes}".rstrip()
        for block in write_details(update, app.context_of(known)):
            yield from render_block(block).splitlines()
        if state := describe_skip(update, known):
            yield f"It is {state} (`mastodon-update-check skip --undo` ends that)."
    elif asked.version is not None:
        older = "older than that" if asked.version < known.installed else "not listed by the update server"
        yield f"{asked.version} is {'installed' if asked.version == known.installed else older}."
    elif asked.branch == known.installed.branch and known.support_ends_on is not None:
        yield output.describe_end_of_support(asked.branch, known.support_ends_on, app.clock())
    else:
        yield f"The end of support for {asked.branch} is unknown."


def _describe_person(found: Explanation) -> Iterator[str]:
    for recipient in found.recipients:
        name, sink = output.name_recipient(recipient), recipient.sink
        gets = f"{name} is notified by {sink} of" if recipient.address else f"{sink} gets"
        yield f"{gets}: {describe_subscriptions(recipient)}."
    for verdict in found.not_told:
        yield f"{output.describe_verdict(verdict)}, so is not notified."
    if not (found.recipients or found.not_told):
        yield f"{found.asked.words} is not a recipient or a sink now: `mastodon-update-check recipients` lists all."


def _sort(found: Explanation, app: App, *, is_verbose: bool) -> Mapping[str, list[Item]]:
    """Return the items of each section: for a release they name recipients, otherwise notices."""
    is_release = bool(found.asked.subject)
    sections: dict[str, list[Item]] = {title: [] for title in _SECTIONS}
    sent: dict[str, list[HistoryEntry]] = {}
    for entry in found.entries:
        head = (
            f"{_name(entry.recipient, entry.address)}{_form(entry.notice)}" if is_release else name_notice(entry.notice)
        )
        if entry.state is DeliveryState.SENT:
            sent.setdefault(entry.recipient_key if is_release else entry.identity, []).append(entry)
        elif entry.is_undelivered:
            sections[_PENDING].append(_write_pending(head, entry, app))
        else:
            why = explain_reason(entry.reason, entry.recipient)
            text = f"{head}: planned {minute(entry.planned_at)}, given up {_settled(entry)} because {why}"
            sections[_OTHERS].append([text, *map(_write_attempt, entry.attempts)])
    sections[_NOTIFIED] = [_write_sent(group, is_release=is_release, is_verbose=is_verbose) for group in sent.values()]
    for one in found.decisions:
        head = f"{_name(one.recipient)}{_form(one.notice)}" if is_release else name_notice(one.notice)
        section = sections[_COMING if one.reason.notifies else _OTHERS]
        section.append([f"{head}: {explain_reason(one.reason, one.recipient)}"])
    if is_release:
        sections[_OTHERS] += ([output.describe_verdict(one)] for one in found.not_told)
    return sections


def _write_sent(group: Sequence[HistoryEntry], *, is_release: bool, is_verbose: bool) -> Item:
    """Write the notices that one recipient got about a release, or the same notice in each message."""
    last = group[-1]
    name = _name(last.recipient, last.address) if is_release else name_notice(last.notice)
    times = ", ".join(f"{_settled(entry)}{_form(entry.notice) if is_release else ''}" for entry in group)
    attempts = (_write_attempt(attempt) for entry in group for attempt in entry.attempts if is_verbose)
    return [f"{name}: {times}; {explain_reason(last.reason, last.recipient)}", *attempts]


def _write_pending(head: str, entry: HistoryEntry, app: App) -> Item:
    if entry.is_being_sent:
        following = "being sent at this moment"
    elif entry.is_stopped or entry.due_at is None:
        following = "its receiver asked never to be called again (HTTP 410): change its URL, or `retry --stopped`"
    elif entry.due_at <= app.clock():
        following = "due now: the daemon tries it, or `mastodon-update-check check`"
    else:
        following = f"next attempt {minute(entry.due_at)}, or at once with `mastodon-update-check retry`"
    text = f"{head}: planned {minute(entry.planned_at)}; {explain_reason(entry.reason, entry.recipient)}"
    return [text, *map(_write_attempt, entry.attempts), following]


def _name(recipient: Recipient, address: str = "") -> str:
    return f"{output.name_recipient(recipient, address)} by {recipient.sink}" if recipient.address else recipient.sink


def _form(notice: Notice) -> str:
    if isinstance(notice, UpdateNotice):
        return " as urgent" if notice.urgent else ""
    return f" ({name_notice(notice)})"


def _settled(entry: HistoryEntry) -> str:
    return minute(entry.settled_at or entry.planned_at)


def _write_attempt(attempt: PastAttempt) -> str:
    at = (attempt.ended_at or attempt.started_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    reply = f": {attempt.reply}" if attempt.reply else ""
    return f"attempt {attempt.number}, {at}: {_OUTCOMES[attempt.outcome]}{reply}"
