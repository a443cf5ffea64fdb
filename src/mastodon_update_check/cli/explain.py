"""`explain`: who was told what and when, who was not, and why."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import (
    Exit,
    describe_end_of_support,
    load_app,
    minute,
    print_json,
)
from mastodon_update_check.domain.notices import Notice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.planning import Decision
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.explain import Account, gather
from mastodon_update_check.ledger.history import Entry, PastAttempt
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.sample_content import describe_wishes
from mastodon_update_check.monitoring.status_json import iso

ENTRIES_SHOWN = 50
"""How many rows of one kind are printed; `--json` has all."""
_OUTCOMES = {
    Outcome.SENT: "accepted",
    Outcome.DEFERRED: "put off",
    Outcome.FAILED: "refused",
    Outcome.UNKNOWN: "broke off, nobody knows how it ended",
    None: "under way, or broke off",
}


def execute(arguments: Namespace) -> int:
    """Give the account."""
    app = load_app()
    account = _gather(app, arguments.about)
    if arguments.json:
        print_json(_to_json(account))
    else:
        for line in _tell(account, app):
            print(line)
    return Exit.DONE


def _gather(app: App, about: str) -> Account:
    found = app.find_ledger()
    if found is None:
        return gather(app.settings, None, app.sink_settings(None), about, app.clock())
    with found as ledger:
        return gather(app.settings, ledger, app.sink_settings(ledger), about, app.clock())


def _tell(account: Account, app: App) -> Iterator[str]:
    yield from _describe_release(account, app) if account.asked.subject else _describe_person(account)
    for warning in account.warnings:
        yield f"Warning: {warning}."
    told = [entry for entry in account.entries if entry.state is DeliveryState.SENT]
    open_ = [entry for entry in account.entries if entry.is_undelivered]
    given_up = [entry for entry in account.entries if entry not in told and entry not in open_]
    coming = [one for one in account.decisions if one.reason.notifies]
    others = [one for one in account.decisions if not one.reason.notifies]
    lines = [
        *_section("Told:", [_tell_entry(entry, account, app) for entry in told]),
        *_section("Not delivered yet:", [_tell_entry(entry, account, app) for entry in open_]),
        *_section("Told at the next check:", [_tell_decision(one, account) for one in coming]),
        *_section(
            "Not told:",
            [
                *(_tell_entry(entry, account, app) for entry in given_up),
                *(_tell_decision(one, account) for one in others),
                *(_tell_verdict(one) for one in account.not_told if account.asked.subject),
            ],
        ),
    ]
    is_known = account.known.installed is not None
    yield from lines or [f"Nothing has been told{', and nothing is to be told' if is_known else ' yet'}."]


def _describe_release(account: Account, app: App) -> Iterator[str]:
    known, asked = account.known, account.asked
    if known.installed is None:
        yield (
            f"No check has worked yet, so it is not known which version {app.settings.instance} runs: "
            "`mastodon-update-check check` asks."
        )
        return
    when = f" (last check: {minute(known.checked_at)})" if known.checked_at else ""
    yield f"{app.settings.instance} runs Mastodon {known.installed.text}{when}."
    update = account.update
    if update is not None:
        what = ", ".join(filter(None, (f"a {update.type} release", "urgent" if update.urgent else "not urgent")))
        yield f"{update.version} is out and not installed: {what}. {update.release_notes}".rstrip()
        if known.is_skipped(update):
            yield "It is skipped: nobody is told or reminded of it any more (`skip --undo` takes that back)."
    elif asked.version is not None and asked.version == known.installed:
        yield f"{asked.version} is installed."
    elif asked.version is not None:
        older = asked.version < known.installed
        yield f"{asked.version} is {'older than that' if older else 'not listed by the update server'}."
    elif asked.branch == known.installed.branch and known.support_ends_on is not None:
        yield f"{describe_end_of_support(asked.branch, known.support_ends_on, app.clock())}."
    else:
        yield f"Until when {asked.branch} is supported is not known."


def _describe_person(account: Account) -> Iterator[str]:
    asked = account.asked
    for recipient in account.recipients:
        who = f"{_who(recipient)} is told by {recipient.sink}" if recipient.address else f"{recipient.sink} is told"
        yield f"{who} of: {describe_wishes(recipient)}."
    for verdict in account.not_told:
        yield f"{_tell_verdict(verdict)[0]}, so is told nothing."
    if account.recipients or account.not_told:
        return
    if asked.address:
        yield f"Nobody with the address {asked.words} is a recipient now: `mastodon-update-check recipients` lists all."
    elif asked.name:
        yield f"{asked.words} is no recipient now: `mastodon-update-check recipients` lists all."
    else:
        yield f"The sink {asked.words} is not in use now."


def _section(title: str, items: Sequence[Sequence[str]]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield title
    left = len(items) - ENTRIES_SHOWN
    if left > 0:
        yield f"  {left} earlier ones, which --json shows"
    for head, *details in items[-ENTRIES_SHOWN:]:
        yield f"  {head}"
        yield from (f"      {detail}" for detail in details)


def _head(recipient: Recipient, notice: Notice, account: Account, address: str = "") -> str:
    """Name what a line is about: the recipient, or the notice, whichever was not asked about."""
    if not account.asked.subject:
        return name_notice(notice)
    who = f"{_who(recipient, address)} by {recipient.sink}" if recipient.address else recipient.sink
    if isinstance(notice, UpdateNotice):
        return f"{who}, as an urgent release" if notice.urgent else who
    return f"{who}, {name_notice(notice)}"


def _who(recipient: Recipient, address: str = "") -> str:
    at = address or recipient.address
    if recipient.name and at:
        return f"{recipient.name} <{at}>"
    return recipient.name or at or recipient.sink


def _tell_entry(entry: Entry, account: Account, app: App) -> Sequence[str]:
    head = _head(entry.recipient, entry.notice, account, entry.address)
    attempts = [_tell_attempt(attempt) for attempt in entry.attempts]
    if entry.state is DeliveryState.SENT:
        kept = attempts or ["attempts are kept for 90 days"]
        return f"{head}: {_when(entry)}, because {explain_reason(entry.reason, entry.recipient)}", *kept
    if entry.is_undelivered:
        planned = f"planned {minute(entry.planned_at)}, because {explain_reason(entry.reason, entry.recipient)}"
        return f"{head}: {planned}", *attempts, _next(entry, app)
    given_up = f"planned {minute(entry.planned_at)}, given up {_when(entry)} because {explain_reason(entry.reason)}"
    return f"{head}: {given_up}", *attempts


def _when(entry: Entry) -> str:
    return minute(entry.settled_at or entry.planned_at)


def _next(entry: Entry, app: App) -> str:
    if entry.is_being_sent:
        return "being sent at this moment"
    if entry.is_stopped or entry.due_at is None:
        return "its receiver asked never to be called again (HTTP 410): only another URL helps, or `retry --stopped`"
    if entry.due_at <= app.clock():
        return "due now: the daemon tries it, or `mastodon-update-check check`"
    return f"next attempt {minute(entry.due_at)}, or at once with `mastodon-update-check retry`"


def _tell_attempt(attempt: PastAttempt) -> str:
    at = (attempt.ended_at or attempt.started_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    reply = f": {hide_secrets(attempt.reply)}" if attempt.reply else ""
    return f"attempt {attempt.number}, {at}: {_OUTCOMES[attempt.outcome]}{reply}"


def _tell_decision(one: Decision, account: Account) -> Sequence[str]:
    return (f"{_head(one.recipient, one.notice, account)}: because {explain_reason(one.reason, one.recipient)}",)


def _tell_verdict(verdict: StaffVerdict) -> Sequence[str]:
    role = f" ({verdict.role})" if verdict.role else ""
    return (f"{verdict.name}{role}: {verdict.reason.replace('_', ' ')}",)


def _to_json(account: Account) -> dict[str, object]:
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
        "recipients": [_describe(one) for one in account.recipients],
        "deliveries": [_entry_to_json(entry) for entry in account.entries],
        "decisions": [_decision_to_json(one) for one in account.decisions],
        "staff_not_told": [
            {"name": one.name, "role": one.role or None, "reason": str(one.reason)} for one in account.not_told
        ],
        "warnings": list(account.warnings),
    }


def _describe(recipient: Recipient) -> dict[str, object]:
    return {
        "sink": recipient.sink,
        "name": recipient.name or None,
        "address": recipient.address or None,
        "preference": str(recipient.preference),
    }


def _entry_to_json(entry: Entry) -> dict[str, object]:
    return {
        **_describe(entry.recipient),
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
        **_describe(one.recipient),
        "notice": name_notice(one.notice),
        "told": one.reason.notifies,
        "reason": str(one.reason),
        "explanation": explain_reason(one.reason, one.recipient),
    }
