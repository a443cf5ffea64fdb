"""`send-test`: one test message through each sink, and the reply of each."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, print_json
from mastodon_update_check.config import SinkSettings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean, count
from mastodon_update_check.errors import LedgerError, UsageError
from mastodon_update_check.jobs.recipients import MAIL, People, find_people
from mastodon_update_check.jobs.send_test import SendResult, SinkTest, send_tests
from mastodon_update_check.jobs.workers import load
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.compose import compose_test_message
from mastodon_update_check.terminal import fill, paint, progress, say
from mastodon_update_check.translations import load_translation

_ONLY_LOG = "no person is reached, notices go to the log only: set SMTP_SERVER or UPDATE_CHECK_WEBHOOK_URL"


def execute(app: App, arguments: Namespace) -> int:
    """Try the sinks; exit 1 when a message was not accepted, or when only the log was reached."""
    sinks = _choose(app.settings.sinks, arguments.sinks)
    known, notes = _read_state(app)
    with progress("Asking for the recipients"):
        people = _find_people(app, sinks, known)
    entries = [_prepare(app, sink, people, known, everyone=arguments.everyone) for sink in sinks]
    notes += _describe_mail(app, entries, people, everyone=arguments.everyone)
    is_only_log = not arguments.sinks and all(sink.plugin == "log" for sink in sinks)
    if is_only_log:
        notes.append(_ONLY_LOG)
    results = _try(entries, people)
    if arguments.json:
        verdicts = list(results)
        print_json({"results": [_to_json(verdict) for verdict in verdicts], "warnings": notes})
    else:
        for note in notes:
            say(f"Note: {note}.")
        verdicts = list(_show(results))
        say("No recipient was notified." if is_only_log else _conclude(verdicts))
    has_failed = is_only_log or not all(verdict.is_accepted for verdict in verdicts)
    return Exit.FAILED if has_failed else Exit.DONE


def _choose(sinks: Sequence[SinkSettings], names: Sequence[str]) -> Sequence[SinkSettings]:
    """Return the sinks of these names, all of them without one; `webhook` stands for every webhook."""
    for name in names:
        if not any(name.lower() in {sink.name.lower(), sink.plugin.lower()} for sink in sinks):
            configured = ", ".join(sink.name for sink in sinks)
            raise UsageError(f"there is no sink {name!r} in the settings; there are: {configured}")
    wanted = {name.lower() for name in names}
    return [sink for sink in sinks if not wanted or wanted & {sink.name.lower(), sink.plugin.lower()}]


def _read_state(app: App) -> tuple[ServerState, list[str]]:
    """Return the state in the ledger, and notes: a test needs no ledger, and works beside a damaged one."""
    try:
        with app.find_ledger() as ledger:
            return ledger.state(), []
    except LedgerError as error:
        return ServerState(), [f"{error} (a test works without it, the daemon does not)"]


def _find_people(app: App, sinks: Sequence[SinkSettings], known: ServerState) -> People:
    """Return the recipients; without mail, Mastodon's database need not be asked."""
    has_mail = any(sink.plugin == MAIL for sink in sinks)
    settings = app.settings if has_mail else replace(app.settings, sinks=tuple(sinks))
    return find_people(settings, known.devops)


def _prepare(app: App, sink: SinkSettings, people: People, known: ServerState, *, everyone: bool) -> SinkTest:
    context, now = app.context_of(known), app.clock()
    messages = tuple(
        compose_test_message(
            id=uuid4().hex,
            recipient=one,
            context=replace(context, translation=load_translation(one.locale)),
            now=now,
        )
        for one in people.recipients
        if one.sink == sink.name and (everyone or one.is_operator or not one.address)
    )
    return SinkTest(sink=sink.name, load=partial(load, sink), messages=messages)


def _describe_mail(app: App, entries: Sequence[SinkTest], people: People, *, everyone: bool) -> Iterator[str]:
    mails = next((len(entry.messages) for entry in entries if entry.sink == MAIL), None)
    if mails is None:
        return
    if mails > 1 and not everyone and not app.settings.operator:
        yield (
            "UPDATE_CHECK_OPERATOR is not set, so every mail recipient counts as the operator and gets the test "
            f"({mails} mails)"
        )
    yield from people.warnings


def _try(entries: Sequence[SinkTest], people: People) -> Iterator[SendResult]:
    """Yield each verdict as soon as it is there; a sink without a recipient has failed."""
    for verdict in send_tests(entries):
        yield replace(verdict, reply=clean(hide_secrets(verdict.reply)))
    why = str(people.answer.error) if people.answer.error else "no mail recipient is known: see `recipients`"
    for entry in entries:
        if not entry.messages:
            reply = f"there is no recipient: {why}"
            yield SendResult(sink=entry.sink, address="", is_accepted=False, reply=reply, took=timedelta())


def _show(results: Iterator[SendResult]) -> Iterator[SendResult]:
    """Print each verdict as soon as it is there."""
    while True:
        with progress("Waiting for a reply"):
            verdict = next(results, None)
        if verdict is None:
            return
        to = f" to {verdict.address}" if verdict.address else ""
        word, colour = ("accepted", "fine") if verdict.is_accepted else ("FAILED", "bad")
        text = fill(f"{verdict.sink}{to}: {word}{': ' if verdict.reply else ''}{verdict.reply}", rest="  ")
        print(text.replace(word, paint(word, colour), 1), flush=True)
        yield verdict


def _conclude(verdicts: Sequence[SendResult]) -> str:
    accepted, messages = sum(verdict.is_accepted for verdict in verdicts), count(len(verdicts), "test message")
    if accepted == len(verdicts):
        return f"{messages} accepted. Check whether they have arrived."
    return f"{accepted} of {messages} accepted. `mastodon-update-check doctor` may show the reason."


def _to_json(verdict: SendResult) -> dict[str, object]:
    return {
        "sink": verdict.sink,
        "address": verdict.address or None,
        "accepted": verdict.is_accepted,
        "reply": verdict.reply or None,
        "seconds": round(verdict.took.total_seconds(), 3),
    }
