"""Observe whether the services were restarted after the last upgrade."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from mastodon_update_check.host.mastodon_units import find_running
from mastodon_update_check.host.programs import Run, run_program
from mastodon_update_check.mastodon.migrations import streaming_changed_at, tree_changed_at

TOLERANCE = timedelta(seconds=2)
"""Times of files and of services are not taken at the same instant."""


def outdated_services(root: Path, run: Run = run_program) -> tuple[str, ...] | None:
    """Return the services of Sidekiq and streaming that were started before their code changed; None: unknown."""
    changed_at, streaming_at = tree_changed_at(root), streaming_changed_at(root)
    if changed_at is None or streaming_at is None:
        return None
    running = find_running(root, run)
    if not running:
        return None
    now, found = datetime.now(UTC), []
    for name, started_at in running.items():
        changed = streaming_at if "streaming" in name else changed_at
        if started_at + TOLERANCE < changed <= now:
            found.append(name)
    return tuple(sorted(found))
