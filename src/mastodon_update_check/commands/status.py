"""`status`: how the server stands, with the exit codes of monitoring plugins."""

from argparse import Namespace
from dataclasses import dataclass
from datetime import datetime, timedelta

from mastodon_update_check.app import App
from mastodon_update_check.commands.common import Exit, describe_troubles, load_app, print_json
from mastodon_update_check.core.knowledge import Knowledge
from mastodon_update_check.core.messages.letter import long_date
from mastodon_update_check.core.messages.payload import describe_support, list_updates
from mastodon_update_check.core.status import Verdict, judge
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary

ALIVE = timedelta(minutes=3)
"""How old the daemon's last sign of life may be; it gives one every minute while it is well."""
SCHEMA = 1
"""Version of the JSON output."""
_NOTHING = OutboxSummary(deferred=0, failed=0, held_back=0, waiting_since=None, sinks=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the ledger says at one moment."""

    known: Knowledge
    outbox: OutboxSummary
    last_beat_at: datetime | None
    now: datetime

    @property
    def is_alive(self) -> bool:
        """Whether a daemon has given a sign of life lately; one from the future tells nothing."""
        return self.last_beat_at is not None and abs(self.now - self.last_beat_at) <= ALIVE


def execute(arguments: Namespace) -> int:
    """Say how the server stands; return the exit code of a monitoring plugin."""
    app = load_app()
    picture = _look(app)
    if arguments.alive:
        return _report_life(picture)
    verdict = judge(
        picture.known, picture.outbox.waiting_since, picture.now, app.settings.interval, app.settings.off_reason
    )
    if arguments.json:
        print_json(_to_json(picture, verdict, app))
    else:
        _print(picture, verdict, app)
    return verdict.level


def _look(app: App) -> Picture:
    now, instance = app.clock(), app.settings.instance
    if not app.ledger_path.exists():
        return Picture(known=Knowledge(), outbox=_NOTHING, last_beat_at=None, now=now)
    with Ledger.open(app.ledger_path) as ledger:
        return Picture(
            known=ledger.knowledge(instance),
            outbox=ledger.summary(instance, now, app.settings.sink_names),
            last_beat_at=ledger.last_beat_at(instance),
            now=now,
        )


def _report_life(picture: Picture) -> int:
    if picture.is_alive:
        print("The daemon is at work.")
        return Exit.DONE
    last = f"its last sign of life is from {_instant(picture.last_beat_at)}" if picture.last_beat_at else "it never ran"
    print(f"The daemon is not at work: {last}.")
    return Exit.FAILED


def _to_json(picture: Picture, verdict: Verdict, app: App) -> dict[str, object]:
    known, outbox = picture.known, picture.outbox
    return {
        "schema": SCHEMA,
        "instance": app.settings.instance,
        "level": verdict.level.name.lower(),
        "reasons": list(verdict.sentences),
        "alive": picture.is_alive,
        "checking_off": app.settings.off_reason or None,
        "installed_version": known.installed.text if known.installed else None,
        "updates": list_updates(known.pending(), (), known.installed),
        "support": describe_support(known.support_ends_on, known.support_at(picture.now), known.installed),
        "last_check_at": _iso(known.checked_at),
        "last_good_check_at": _iso(known.good_at),
        "failing_since": _iso(known.failing_since),
        "failure": known.detail or None,
        "warnings": list(known.warnings),
        "deferred": outbox.deferred,
        "failed": outbox.failed,
        "held_back": outbox.held_back,
        "undelivered_since": _iso(outbox.waiting_since),
        "sinks": [
            {
                "name": sink.name,
                "failing_since": _iso(sink.failing_since),
                "retry_at": _iso(sink.retry_at),
                "stopped": sink.is_stopped,
                "reply": sink.reply or None,
                "last_sent_at": _iso(sink.sent_at),
            }
            for sink in outbox.sinks
        ],
    }


def _print(picture: Picture, verdict: Verdict, app: App) -> None:
    known, outbox = picture.known, picture.outbox
    pending = known.pending()
    summary = "; ".join(verdict.sentences) or "nothing to do"
    counts = f"pending={len(pending)} undelivered={outbox.undelivered}"
    print(f"MASTODON-UPDATE-CHECK {verdict.level.name} - {app.settings.instance}: {summary} | {counts}")
    if app.settings.off_reason:
        print(f"Checking is off: {app.settings.off_reason}.")
    if known.installed is not None:
        print(f"Installed:   {known.installed.text}")
        names = (f"{update.version}{' (urgent)' if update.urgent else ''}" for update in pending)
        print(f"Pending:     {', '.join(names) or 'nothing'}")
    if known.support_ends_on is not None and known.installed is not None:
        ended = known.support_ends_on < picture.now.date()
        print(
            f"Support:     {known.installed.branch} {'ended' if ended else 'until'} {long_date(known.support_ends_on)}"
        )
    print(f"Last check:  {_instant(known.checked_at) if known.checked_at else 'never'}{_failure(known)}")
    for warning in known.warnings:
        print(f"Warning:     {warning}")
    print(
        f"Undelivered: {outbox.deferred} deferred, {outbox.failed} refused, {outbox.held_back} held back until tomorrow"
    )
    for sink in outbox.sinks:
        if sink.failing_since is not None or sink.is_stopped:
            since = f"failing since {_instant(sink.failing_since)}" if sink.failing_since else "stopped by its receiver"
            print(f"  {sink.name}: {since}: {sink.reply}")
    failing = {sink.name for sink in outbox.sinks if sink.failing_since is not None}
    for line in describe_troubles(trouble for trouble in outbox.troubles if trouble.sink not in failing):
        print(f"  {line}")
    print(f"Daemon:      {'at work' if picture.is_alive else 'not at work'}")


def _failure(known: Knowledge) -> str:
    if known.failing_since is None:
        return ""
    return f", failing since {_instant(known.failing_since)}: {known.detail}"


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
