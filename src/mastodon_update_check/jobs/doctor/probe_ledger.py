"""The ledger: whether it can be used, and its undelivered messages."""

from collections.abc import Callable, Iterator

from mastodon_update_check.config import Settings
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning
from mastodon_update_check.ledger.location import find_location
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.monitoring.status import StatusReport


def probe_ledger(
    settings: Settings, read_status: Callable[[], StatusReport]
) -> tuple[StatusReport | None, tuple[Finding, ...]]:
    """Read the ledger through; the status is None when that cannot be done."""
    place = "the ledger in PostgreSQL" if "://" in settings.ledger else settings.ledger
    try:
        status, exists = read_status(), find_location(settings.ledger).exists()
    except LedgerError as failure:
        return None, (error("ledger", str(failure)),)
    except SettingsError as failure:
        return None, tuple(error("ledger", problem) for problem in failure.problems)
    if exists:
        return status, (ok("ledger", f"{place} is sound"), *_describe_outbox(status.outbox))
    if status.is_alive:
        restart = "restore a backup, or sudo systemctl restart mastodon-update-check"
        return status, (error("ledger", f"was deleted while the daemon was running: {restart}"),)
    return status, (ok("ledger", f"{place} is created by the first check"),)


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
