"""`send-test`: one test message through each sink, and the reply of each."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.cli.terminal import fill, paint, progress, say
from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError, UsageError
from mastodon_update_check.jobs.recipients import MAIL, People, find_people
from mastodon_update_check.jobs.send_test import SendResult, SinkTest, send_tests
from mastodon_update_check.jobs.workers import find_words, loader
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.compose import compose_test_message

_NOBODY = "no person is reached, notices go to the log only: set SMTP_SERVER or UPDATE_CHECK_WEBHOOK_URL"


def execute(arguments: Namespace) -> int:
    """Try the sinks; exit 1 when a message was not accepted, or when only the log was reached."""
    app = load_app(arguments)
    chosen = _choose(app.settings.sinks, arguments.sinks)
    known, warnings = _remember(app)
    people = find_people(_asked(app.settings, chosen), known.devops)
    entries = list(_prepare(app, chosen, people, known, everyone=arguments.everyone))
    notes = [*warnings, *_notes(app.settings, entries, people, everyone=arguments.everyone)]
    reaches_nobody = not arguments.sinks and all(sink.plugin == "log" for sink in chosen)
    if reaches_nobody:
        notes.append(_NOBODY)
    results = _try(entries, people)
    if arguments.json:
        verdicts = list(results)
        print_json({"results": [_to_json(verdict) for verdict in verdicts], "warnings": notes})
    else:
        verdicts = _show(results, notes)
    has_failed = reaches_nobody or not all(verdict.is_accepted for verdict in verdicts)
    return Exit.FAILED if has_failed else Exit.DONE


def _choose(sinks: Sequence[SinkSettings], names: Sequence[str]) -> Sequence[SinkSettings]:
    """Return the sinks of these names, all of them without one; `webhook` stands for every webhook."""
    for name in names:
        if not any(name.lower() in {sink.name.lower(), sink.plugin.lower()} for sink in sinks):
            configured = ", ".join(sink.name for sink in sinks)
            raise UsageError(f"there is no sink {name!r} in the settings; there are: {configured}")
    wanted = {name.lower() for name in names}
    return [sink for sink in sinks if not wanted or wanted & {sink.name.lower(), sink.plugin.lower()}]


def _asked(settings: Settings, chosen: Sequence[SinkSettings]) -> Settings:
    """Return the settings to look for recipients by: without mail, Mastodon's database need not be asked."""
    has_mail = any(sink.plugin == MAIL for sink in chosen)
    return settings if has_mail else replace(settings, sinks=tuple(chosen))


def _remember(app: App) -> tuple[ServerState, list[str]]:
    """Return what the ledger knows: a test needs none, and works beside one that is damaged."""
    try:
        found = app.find_ledger()
        if found is None:
            return ServerState(), []
        with found as ledger:
            return ledger.state(), []
    except LedgerError as error:
        return ServerState(), [f"{error} (a test works without it, the daemon does not)"]


def _prepare(
    app: App, sinks: Iterable[SinkSettings], people: People, known: ServerState, *, everyone: bool
) -> Iterator[SinkTest]:
    around, now = app.surroundings_of(known), app.clock()
    for sink in sinks:
        recipients = [one for one in people.recipients if one.sink == sink.name and _is_meant(one, everyone=everyone)]
        messages = tuple(
            compose_test_message(
                id=uuid4().hex,
                recipient=one,
                recipients=people.recipients,
                context=replace(around, translation=find_words(one.locale)),
                now=now,
            )
            for one in recipients
        )
        yield SinkTest(sink=sink.name, load=loader(sink), messages=messages)


def _is_meant(recipient: Recipient, *, everyone: bool) -> bool:
    return everyone or recipient.is_operator or not recipient.address


def _notes(settings: Settings, entries: Sequence[SinkTest], people: People, *, everyone: bool) -> Iterator[str]:
    mails = next((entry.messages for entry in entries if entry.sink == MAIL), ())
    if len(mails) > 1 and not everyone and not settings.operator:
        yield (
            "UPDATE_CHECK_OPERATOR is not set, so every mail recipient counts as the operator and gets the test "
            f"({len(mails)} mails)"
        )
    if any(entry.sink == MAIL for entry in entries):
        yield from people.warnings


def _try(entries: Sequence[SinkTest], people: People) -> Iterator[SendResult]:
    """Yield each verdict as soon as it is there; a sink that has nobody to send to has failed."""
    for verdict in send_tests(entries):
        yield replace(verdict, reply=clean(hide_secrets(verdict.reply)))
    why = str(people.answer.error) if people.answer.error else "no mail recipient is known: see `recipients`"
    for entry in entries:
        if not entry.messages:
            reply = f"there is no recipient: {why}"
            yield SendResult(sink=entry.sink, address="", is_accepted=False, reply=reply, took=timedelta())


def _show(results: Iterator[SendResult], notes: Iterable[str]) -> list[SendResult]:
    """Print each verdict as soon as it is there."""
    notes, verdicts = list(notes), list[SendResult]()
    for note in notes:
        say(f"Note: {note}.")
    while (verdict := _next(results)) is not None:
        _print(verdict)
        sys.stdout.flush()
        verdicts.append(verdict)
    _print_end(verdicts, reaches_nobody=_NOBODY in notes)
    return verdicts


def _next(results: Iterator[SendResult]) -> SendResult | None:
    with progress("Waiting for a reply"):
        return next(results, None)


def _print(verdict: SendResult) -> None:
    to = f" to {verdict.address}" if verdict.address else ""
    word, colour = ("accepted", "fine") if verdict.is_accepted else ("FAILED", "bad")
    text = "\n".join(fill(f"{verdict.sink}{to}: {word}{': ' if verdict.reply else ''}{verdict.reply}", rest="  "))
    print(text.replace(word, paint(word, colour), 1))


def _print_end(verdicts: Sequence[SendResult], *, reaches_nobody: bool) -> None:
    accepted = sum(verdict.is_accepted for verdict in verdicts)
    messages = count(len(verdicts), "test message")
    if reaches_nobody:
        say("Nobody was notified.")
    elif accepted == len(verdicts):
        say(f"{messages} accepted. Check whether they have arrived.")
    else:
        say(f"{accepted} of {messages} accepted. `mastodon-update-check doctor` may show the reason.")


def _to_json(verdict: SendResult) -> dict[str, object]:
    return {
        "sink": verdict.sink,
        "address": verdict.address or None,
        "accepted": verdict.is_accepted,
        "reply": verdict.reply or None,
        "seconds": round(verdict.took.total_seconds(), 3),
    }
