"""`retry`: what is not delivered is tried now."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.domain.explain_target import Asked
from mastodon_update_check.domain.status import is_alive
from mastodon_update_check.jobs.explain import ask
from mastodon_update_check.ledger.history import Acquaintance, Entry
from mastodon_update_check.ledger.ledger import Ledger

_STOPPED = (
    "asked never to be called again (HTTP 410): give it another URL, or say `retry --stopped` if that was a mistake"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What there was to retry, and what came of it."""

    entries: Sequence[Entry]
    hurried: int
    held_back: int
    is_at_work: bool

    @property
    def claimed(self) -> int:
        """How many messages are being sent at this moment."""
        return len({entry.message_id for entry in self.entries if entry.is_claimed})


def execute(arguments: Namespace) -> int:
    """Make it due now, and say who will try."""
    app = load_app()
    found = app.find_ledger()
    if found is None:
        if arguments.about is not None:
            ask(arguments.about, app.settings, (), ())
        return _report(arguments, app, Result(entries=(), hurried=0, held_back=0, is_at_work=False))
    with found as ledger:
        entries = _find(app, ledger, arguments.about)
        free = [entry for entry in entries if not entry.is_claimed and (arguments.stopped or not entry.is_stopped)]
        hurried = ledger.hurry(
            app.settings.instance,
            {entry.message_id for entry in free},
            {entry.sink for entry in free},
            app.clock(),
            is_started=arguments.stopped,
        )
        held_back = ledger.summary(app.settings.instance, app.clock(), app.settings.sink_names).held_back
        is_at_work = is_alive(ledger.last_beat_at(app.settings.instance), app.clock())
    return _report(arguments, app, Result(entries=entries, hurried=hurried, held_back=held_back, is_at_work=is_at_work))


def _find(app: App, ledger: Ledger, about: str | None) -> tuple[Entry, ...]:
    """Return the undelivered rows that are meant."""
    instance, now = app.settings.instance, app.clock()
    undelivered = ledger.history(instance, now, is_undelivered=True)
    if about is None:
        return undelivered
    old = ledger.acquaintances(instance)
    asked = ask(about, app.settings, ledger.knowledge(instance).devops_users, old)
    return tuple(entry for entry in undelivered if _is_meant(entry, asked, old))


def _is_meant(entry: Entry, asked: Asked, old: Sequence[Acquaintance]) -> bool:
    if asked.subject:
        return entry.identity.startswith(f"{asked.subject}/")
    addresses = {each for one in old if one.recipient.key == entry.recipient_key for each in one.addresses}
    return asked.means(entry.recipient, addresses)


def _report(arguments: Namespace, app: App, result: Result) -> int:
    entries = result.entries
    stopped = sorted({entry.sink for entry in entries if entry.is_stopped}) if not arguments.stopped else []
    elsewhere = sorted({entry.sink for entry in entries} - set(app.settings.sink_names))
    if arguments.json:
        print_json(
            {
                "retried": result.hurried,
                "being_sent": result.claimed,
                "held_back": result.held_back,
                "stopped_sinks": stopped,
                "unconfigured_sinks": elsewhere,
                "alive": result.is_at_work,
            }
        )
        return Exit.DONE
    if not entries:
        print("Nothing waits to be delivered." if arguments.about is None else "Nothing of the kind is undelivered.")
    for line in _tell(result):
        print(line)
    for sink in stopped:
        print(f"{sink}: its receiver {_STOPPED}.")
    for sink in elsewhere:
        print(f"{sink}: waits until that sink is in the settings again.")
    return Exit.DONE


def _tell(result: Result) -> Iterator[str]:
    if result.hurried:
        are = "is" if result.hurried == 1 else "are"
        yield f"{count(result.hurried, 'message')} {are} due now. {_who_tries(is_at_work=result.is_at_work)}"
    if result.claimed:
        yield f"{count(result.claimed, 'message')} being sent at this moment."
    if result.held_back:
        yield f"{count(result.held_back, 'mail')} held back until tomorrow: nobody gets more than six a day."


def _who_tries(*, is_at_work: bool) -> str:
    if is_at_work:
        return "The daemon tries within 20 seconds; `mastodon-update-check status` shows what came of it."
    return "The daemon is not at work: `mastodon-update-check check` tries now, or start the daemon."
