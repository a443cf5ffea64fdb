"""`explain`: who was notified when, who was not, and why."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import (
    Exit,
    describe_end_of_support,
    load_app,
    minute,
    print_json,
)
from mastodon_update_check.cli.explain_json import describe_account
from mastodon_update_check.cli.terminal import say
from mastodon_update_check.domain.notices import Notice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState, Outcome
from mastodon_update_check.domain.planning.plan import Decision
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.explain import Explanation, gather
from mastodon_update_check.ledger.history import HistoryEntry, PastAttempt
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.explanations import explain_reason, name_notice
from mastodon_update_check.messages.plain import render_block
from mastodon_update_check.messages.release_details import describe_details
from mastodon_update_check.messages.sample_content import describe_subscriptions

ENTRIES_SHOWN = 50
"""How many rows of one kind are printed; `--json` has all."""
_OUTCOMES = {
    Outcome.SENT: "accepted",
    Outcome.DEFERRED: "put off",
    Outcome.FAILED: "refused",
    Outcome.UNKNOWN: "interrupted, the result is unknown",
    None: "running, or interrupted",
}


def execute(arguments: Namespace) -> int:
    """Print the account."""
    app = load_app(arguments)
    account = _gather(app, arguments.about)
    if arguments.json:
        print_json(describe_account(account))
    else:
        for line in _write(account, app, is_verbose=arguments.verbose):
            blanks = line[: len(line) - len(line.lstrip())]
            say(line.strip(), blanks, f"{blanks}  ")
    return Exit.DONE


def _gather(app: App, about: str) -> Explanation:
    found = app.find_ledger()
    if found is None:
        return gather(app.settings, None, app.sink_settings(None), about, app.clock())
    with found as ledger:
        return gather(app.settings, ledger, app.sink_settings(ledger), about, app.clock())


def _write(account: Explanation, app: App, *, is_verbose: bool) -> Iterator[str]:
    yield from _describe_release(account, app) if account.asked.subject else _describe_person(account)
    for warning in account.warnings:
        yield f"Warning: {warning}."
    sent = [entry for entry in account.entries if entry.state is DeliveryState.SENT]
    open_ = [entry for entry in account.entries if entry.is_undelivered]
    given_up = [entry for entry in account.entries if entry not in sent and entry not in open_]
    coming = [one for one in account.decisions if one.reason.notifies]
    others = [one for one in account.decisions if not one.reason.notifies]
    lines = [
        *_section("Notified:", _write_sent(sent, account, is_verbose=is_verbose)),
        *_section("Not delivered yet:", [_write_entry(entry, account, app) for entry in open_]),
        *_section("To be notified at the next check:", [_write_decision(one, account) for one in coming]),
        *_section(
            "Not notified:",
            [
                *(_write_entry(entry, account, app) for entry in given_up),
                *(_write_decision(one, account) for one in others),
                *((_write_verdict(one),) for one in account.not_told if account.asked.subject),
            ],
        ),
    ]
    is_known = account.known.installed is not None
    yield from lines or [f"Nobody has been notified{', and nobody is to be notified' if is_known else ' yet'}."]


def _describe_release(account: Explanation, app: App) -> Iterator[str]:
    known, asked = account.known, account.asked
    if known.installed is None:
        yield (
            f"No check has worked yet, so that the version of {app.settings.instance} is unknown: "
            "`mastodon-update-check check` asks."
        )
        return
    when = f" (last check: {minute(known.checked_at)})" if known.checked_at else ""
    yield f"{app.settings.instance} runs Mastodon {known.installed.text}{when}."
    update = account.update
    if update is not None:
        what = ", ".join(filter(None, (f"a {update.type} release", "urgent" if update.urgent else "not urgent")))
        yield f"{update.version} is out and not installed: {what}. {update.release_notes}".rstrip()
        for block in describe_details(update, app.surroundings_of(known)):
            yield from render_block(block).splitlines()
        if known.is_skipped(update):
            yield "It is ignored: no notices and reminders (`skip --undo` ends that)."
    elif asked.version is not None and asked.version == known.installed:
        yield f"{asked.version} is installed."
    elif asked.version is not None:
        older = asked.version < known.installed
        yield f"{asked.version} is {'older than that' if older else 'not listed by the update server'}."
    elif asked.branch == known.installed.branch and known.support_ends_on is not None:
        yield f"{describe_end_of_support(asked.branch, known.support_ends_on, app.clock())}."
    else:
        yield f"The end of support for {asked.branch} is unknown."


def _describe_person(account: Explanation) -> Iterator[str]:
    asked = account.asked
    for recipient in account.recipients:
        who = f"{_who(recipient)} is notified by {recipient.sink}" if recipient.address else f"{recipient.sink} gets"
        yield f"{who}{' about' if recipient.address else ''}: {describe_subscriptions(recipient)}."
    for verdict in account.not_told:
        yield f"{_write_verdict(verdict)}, so is not notified."
    if account.recipients or account.not_told:
        return
    if asked.address:
        yield f"{asked.words} is not a recipient's address now: `mastodon-update-check recipients` lists all."
    elif asked.name:
        yield f"{asked.words} is not a recipient now: `mastodon-update-check recipients` lists all."
    else:
        yield f"The sink {asked.words} is not in use now."


def _section(title: str, items: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give a title and its items in order: each has a line, and below it lines of its own."""
    if not items:
        return
    yield ""
    yield title
    for head, *details in sorted(items, key=list)[:ENTRIES_SHOWN]:
        yield f"  {head}"
        yield from (f"      {detail}" for detail in details)
    if len(items) > ENTRIES_SHOWN:
        yield f"  {len(items) - ENTRIES_SHOWN} more, which --json shows"


def _write_sent(entries: Sequence[HistoryEntry], account: Explanation, *, is_verbose: bool) -> list[Sequence[str]]:
    """Give one item for each recipient, or for each notice to one recipient."""
    found: dict[str, list[HistoryEntry]] = {}
    for entry in entries:
        key = entry.recipient_key if account.asked.subject else entry.identity
        found.setdefault(key, []).append(entry)
    return [_write_sent_group(group, account, is_verbose=is_verbose) for group in found.values()]


def _write_sent_group(group: Sequence[HistoryEntry], account: Explanation, *, is_verbose: bool) -> Sequence[str]:
    last = group[-1]
    who = _who(last.recipient, last.address)
    name = f"{who} by {last.recipient.sink}" if last.recipient.address else last.recipient.sink
    times = ", ".join(f"{_when(entry)}{_label(entry.notice) if account.asked.subject else ''}" for entry in group)
    head = name if account.asked.subject else name_notice(last.notice)
    attempts = [_write_attempt(attempt) for entry in group for attempt in entry.attempts] if is_verbose else []
    return f"{head}: {times}, because {explain_reason(last.reason, last.recipient)}", *attempts


def _label(notice: Notice) -> str:
    if isinstance(notice, UpdateNotice):
        return " as urgent" if notice.urgent else ""
    return f" ({name_notice(notice)})"


def _head(recipient: Recipient, notice: Notice, account: Explanation, address: str = "") -> str:
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


def _write_entry(entry: HistoryEntry, account: Explanation, app: App) -> Sequence[str]:
    head = _head(entry.recipient, entry.notice, account, entry.address)
    attempts = [_write_attempt(attempt) for attempt in entry.attempts]
    if entry.is_undelivered:
        planned = f"planned {minute(entry.planned_at)}, because {explain_reason(entry.reason, entry.recipient)}"
        return f"{head}: {planned}", *attempts, _next(entry, app)
    given_up = f"planned {minute(entry.planned_at)}, given up {_when(entry)} because {explain_reason(entry.reason)}"
    return f"{head}: {given_up}", *attempts


def _when(entry: HistoryEntry) -> str:
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


def _write_decision(one: Decision, account: Explanation) -> Sequence[str]:
    return (f"{_head(one.recipient, one.notice, account)}: because {explain_reason(one.reason, one.recipient)}",)


def _write_verdict(verdict: StaffVerdict) -> str:
    role = f" ({verdict.role})" if verdict.role else ""
    return f"{verdict.name}{role}: {verdict.reason.replace('_', ' ')}"
