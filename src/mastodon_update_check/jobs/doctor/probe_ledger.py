"""The ledger: whether it can be used, and its undelivered messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.summary import OutboxSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The part of the ledger that the other probes need."""

    known: ServerState
    last_beat_at: datetime | None = None
    """Of the daemon on this machine."""
    others: tuple[str, ...] = ()
    """The other machines whose daemons run with this ledger."""
    is_readable: bool = True
    is_missing: bool = False


_UNREADABLE = Memory(known=ServerState(), is_readable=False)


def probe_ledger(
    settings: Settings,
    find_ledger: Callable[[], Ledger | None],
    now: datetime,
    host: str,
    last_beat_at: Callable[[], datetime | None],
) -> tuple[Memory, tuple[Finding, ...]]:
    """Read the ledger through."""
    is_shared = "://" in settings.ledger
    place = "the ledger in PostgreSQL" if is_shared else settings.ledger
    try:
        found = find_ledger()
        if found is None:
            missing = Memory(known=ServerState(), is_missing=True, last_beat_at=last_beat_at())
            return missing, (ok("ledger", f"{place} is created by the first check"),)
        with found as ledger:
            nodes = ledger.nodes(now) if is_shared else ()
            memory = Memory(
                known=ledger.state(),
                last_beat_at=last_beat_at(),
                others=tuple(node.host for node in nodes if node.host != host and is_alive(node.alive_at, now)),
            )
            outbox = ledger.summary(now, settings.sink_names)
    except LedgerError as failure:
        return _UNREADABLE, (error("ledger", str(failure)),)
    except SettingsError as failure:
        return _UNREADABLE, tuple(error("ledger", problem) for problem in failure.problems)
    return memory, (ok("ledger", f"{place} is sound"), *_describe_outbox(outbox))


def _describe_outbox(outbox: OutboxSummary) -> Iterator[Finding]:
    for sink in outbox.sinks:
        if sink.is_stopped:
            yield warning(sink.name, "its receiver asked never to be called again (HTTP 410): give it another URL")
        elif sink.failing_since is not None and sink.undelivered:
            since = f"{sink.failing_since:%Y-%m-%d %H:%M} UTC"
            yield warning(sink.name, f"has accepted nothing since {since}; its last reply: {sink.reply}")
    if outbox.undelivered:
        messages = f"{outbox.undelivered} message{' is' if outbox.undelivered == 1 else 's are'} not delivered yet"
        yield warning("ledger", f"{messages}: `status` says why, `retry` makes them due at once")
