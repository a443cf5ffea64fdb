"""`retry`: make undelivered messages due now."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.cli.owner import change
from mastodon_update_check.cli.terminal import say
from mastodon_update_check.domain.explain_target import Asked
from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.jobs.explain import ask
from mastodon_update_check.ledger.history import HistoryEntry, KnownRecipient
from mastodon_update_check.ledger.ledger import Ledger

_STOPPED = (
    "asked never to be called again (HTTP 410): give it another URL, or run `retry --stopped` if that was a mistake"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryResult:
    """The messages that could be retried, and what was done."""

    entries: Sequence[HistoryEntry]
    hurried: int
    held_back: int
    is_running: bool

    @property
    def being_sent(self) -> int:
        """How many messages are being sent at this moment."""
        return len({entry.message_id for entry in self.entries if entry.is_being_sent})


def execute(arguments: Namespace) -> int:
    """Make them due now, and say which process will try."""
    app = load_app(arguments)
    found = app.find_ledger()
    if found is None:
        if arguments.about is not None:
            ask(arguments.about, app.settings, (), ())
        return _report(arguments, app, RetryResult(entries=(), hurried=0, held_back=0, is_running=False))
    with found as ledger:
        entries = _find(app, ledger, arguments.about)
        hurried = _hurry(app, entries, stopped=arguments.stopped)
        held_back = app.summary(ledger).held_back
    is_running = is_alive(app.last_beat_at(), app.clock())
    return _report(
        arguments, app, RetryResult(entries=entries, hurried=hurried, held_back=held_back, is_running=is_running)
    )


def _hurry(app: App, entries: Sequence[HistoryEntry], *, stopped: bool) -> int:
    free = [entry for entry in entries if not entry.is_being_sent and (stopped or not entry.is_stopped)]
    if not free:
        return 0
    wanted: dict[str, object] = {
        "messages": sorted({entry.message_id for entry in free}),
        "sinks": sorted({entry.sink for entry in free}),
        "stopped": stopped,
    }
    return int(change(app, "retry", wanted)["hurried"])


def _find(app: App, ledger: Ledger, about: str | None) -> tuple[HistoryEntry, ...]:
    """Return the undelivered rows that are meant."""
    undelivered = ledger.history(is_undelivered=True)
    if about is None:
        return undelivered
    old = ledger.known_recipients()
    asked = ask(about, app.settings, ledger.state().devops_users, old)
    return tuple(entry for entry in undelivered if _is_meant(entry, asked, old))


def _is_meant(entry: HistoryEntry, asked: Asked, old: Sequence[KnownRecipient]) -> bool:
    if asked.subject:
        return entry.identity.startswith(f"{asked.subject}/")
    addresses = {each for one in old if one.recipient.key == entry.recipient_key for each in one.addresses}
    return asked.means(entry.recipient, addresses)


def _report(arguments: Namespace, app: App, result: RetryResult) -> int:
    entries = result.entries
    stopped = sorted({entry.sink for entry in entries if entry.is_stopped}) if not arguments.stopped else []
    elsewhere = sorted({entry.sink for entry in entries} - set(app.settings.sink_names))
    if arguments.json:
        print_json(
            {
                "retried": result.hurried,
                "being_sent": result.being_sent,
                "held_back": result.held_back,
                "stopped_sinks": stopped,
                "unconfigured_sinks": elsewhere,
                "alive": result.is_running,
            }
        )
        return Exit.DONE
    if not entries:
        say("Nothing is undelivered." if arguments.about is None else "Nothing that matches is undelivered.")
    for line in _describe(result):
        say(line)
    for sink in stopped:
        say(f"{sink}: its receiver {_STOPPED}.")
    for sink in elsewhere:
        say(f"{sink}: waits until that sink is in the settings again.")
    return Exit.DONE


def _describe(result: RetryResult) -> Iterator[str]:
    if result.hurried:
        are = "is" if result.hurried == 1 else "are"
        yield f"{count(result.hurried, 'message')} {are} due now. {_next_step(is_running=result.is_running)}"
    if result.being_sent:
        yield f"{count(result.being_sent, 'message')} being sent at this moment."
    if result.held_back:
        yield f"{count(result.held_back, 'mail')} held back until tomorrow: at most six mails a recipient a day."


def _next_step(*, is_running: bool) -> str:
    if is_running:
        return "The daemon tries now; `mastodon-update-check status` shows the outcome."
    return "The daemon is not running: `mastodon-update-check check` tries now, or start the daemon."
