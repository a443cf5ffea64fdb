"""`send-test`: one test message to each recipient, all sinks at the same time, and each reply. Nothing is stored."""

import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import chain
from queue import Empty, SimpleQueue
from uuid import uuid4

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, pick, print_json
from mastodon_update_check.config import SinkSettings
from mastodon_update_check.config.settings import EMAIL
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import count, words_of
from mastodon_update_check.errors import LedgerError, UpdateCheckError, UsageError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.http.time_limit import in_thread
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.jobs.workers import hidden_options
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.compose import compose
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.discovery import Sink, load_sink
from mastodon_update_check.terminal import fill, paint, progress, say
from mastodon_update_check.translations import load_translation

PATIENCE = timedelta(seconds=60)
"""How long to wait for the next result before the sinks that have not finished count as hanging."""
_ONLY_LOG = "no person is reached, notices go to the log only: set SMTP_SERVER or UPDATE_CHECK_WEBHOOK_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTest:
    """A sink, and the messages that it is to deliver."""

    sink: str
    load: Callable[[], Sink]
    messages: tuple[Message, ...]
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The result of one message."""

    sink: str
    address: str = ""
    """The recipient's; empty for sinks without addresses."""
    is_accepted: bool = False
    reply: str
    """The reply of the other side, or the reason of a failure."""
    took: timedelta = timedelta()


def execute(app: App, arguments: Namespace) -> int:
    """Try the sinks; exit 1 when a message was not accepted, or when only the log was reached."""
    sinks, notes, known = _choose(app.settings.sinks, arguments.sinks), list[str](), ServerState()
    try:
        with app.find_ledger() as ledger:
            known = ledger.state()
    except LedgerError as error:
        notes.append(f"{error} (a test works without it, the daemon does not)")
    has_mail = any(sink.plugin == EMAIL for sink in sinks)
    with progress("Asking for the recipients"):  # without mail, Mastodon's database need not be asked
        people = find_people(app.settings if has_mail else replace(app.settings, sinks=tuple(sinks)), known.devops)
    tests = [_compose(app, sink, people, known, everyone=arguments.everyone) for sink in sinks]
    mails = sum(len(test.messages) for test in tests if test.sink == EMAIL)
    if mails > 1 and not arguments.everyone and not app.settings.operator:
        default = "UPDATE_CHECK_OPERATOR is not set, so every mail recipient counts as the operator and gets the test"
        notes.append(f"{default} ({mails} mails)")
    notes += people.warnings if has_mail else ()
    is_only_log = not arguments.sinks and all(sink.plugin == "log" for sink in sinks)
    notes += [_ONLY_LOG] if is_only_log else ()
    why = str(people.answer.error or "no mail recipient is known: see `recipients`")
    missing = (SendResult(sink=one.sink, reply=f"there is no recipient: {why}") for one in tests if not one.messages)
    results = chain(send_tests(tests), missing)
    if arguments.json:
        verdicts = list(results)
        rows = [
            {**pick(one, "sink", "address", "reply"), "accepted": one.is_accepted, "seconds": one.took.total_seconds()}
            for one in verdicts
        ]
        print_json({"results": rows, "warnings": notes})
    else:
        for note in notes:
            say(f"Note: {note}.")
        verdicts = list(_show(results))
        accepted, messages = sum(verdict.is_accepted for verdict in verdicts), count(len(verdicts), "test message")
        if is_only_log:
            say("No recipient was notified.")
        elif accepted == len(verdicts):
            say(f"{messages} accepted. Check whether they have arrived.")
        else:
            say(f"{accepted} of {messages} accepted. `mastodon-update-check doctor` may show the reason.")
    has_failed = is_only_log or not all(verdict.is_accepted for verdict in verdicts)
    return Exit.FAILED if has_failed else Exit.DONE


def _choose(sinks: Sequence[SinkSettings], names: Sequence[str]) -> Sequence[SinkSettings]:
    """Return the sinks of these names, all of them without one; `webhook` stands for every webhook."""
    named = [{sink.name.lower(), sink.plugin.lower()} for sink in sinks]
    for name in names:
        if not any(name.lower() in each for each in named):
            configured = ", ".join(sink.name for sink in sinks)
            raise UsageError(f"there is no sink {name!r} in the settings; there are: {configured}")
    wanted = {name.lower() for name in names}
    return [sink for sink, each in zip(sinks, named, strict=True) if not wanted or wanted & each]


def _compose(app: App, sink: SinkSettings, people: People, known: ServerState, *, everyone: bool) -> SinkTest:
    context, now = app.context_of(known), app.clock()
    messages = tuple(
        compose(
            id=uuid4().hex,
            recipient=one,
            notices=None,
            context=replace(context, translation=load_translation(one.locale)),
            created_at=now,
        )
        for one in people.recipients
        if one.sink == sink.name and (everyone or one.is_operator or not one.address)
    )
    load = partial(load_sink, sink.plugin, sink.options)
    return SinkTest(sink=sink.name, load=load, messages=messages, secrets=hidden_options(sink))


def send_tests(tests: Sequence[SinkTest], patience: timedelta = PATIENCE) -> Iterator[SendResult]:
    """Deliver every message once, each sink in a thread of its own; yield each result as it arrives.

    When none has arrived for `patience`, the remaining messages have failed.
    """
    results: SimpleQueue[SendResult] = SimpleQueue()
    threads = [in_thread(partial(_send, test, results.put)) for test in tests if test.messages]
    arrived: Counter[str] = Counter()
    while arrived.total() < sum(len(test.messages) for test in tests):
        try:
            result = results.get(timeout=patience.total_seconds())
        except Empty:
            break
        arrived[result.sink] += 1
        yield result
    else:
        wait(threads, timeout=patience.total_seconds())  # until the connections are closed
    for test in tests:
        reply = f"no answer within {patience.total_seconds():g} s"
        for message in test.messages[arrived[test.sink] :]:
            yield SendResult(sink=test.sink, address=message.recipient.address, reply=reply, took=patience)
            reply = "not tried: the one before it had no answer"


def _send(test: SinkTest, post: Callable[[SendResult], None]) -> None:
    sink: Sink | None = None
    for message in test.messages:
        began, reply, is_accepted = time.monotonic(), "", False
        try:
            sink = sink or test.load()
            said = sink.send(message)
            reply, is_accepted = said if isinstance(said, str) else "", True
        except UpdateCheckError as error:
            reply = str(error)
        except BaseException as error:  # noqa: BLE001 - another package's code may raise anything
            reply = f"the sink broke: {type(error).__name__}: {words_of(error)}"
        result = SendResult(
            sink=test.sink,
            address=message.recipient.address,
            is_accepted=is_accepted,
            reply=shown(hide_secrets(reply), test.secrets),
            took=timedelta(seconds=round(time.monotonic() - began, 3)),
        )
        post(result)
    close = getattr(sink, "close", None)
    if close is not None:
        close()


def _show(results: Iterator[SendResult]) -> Iterator[SendResult]:
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
