"""Whether the last upgrade was finished."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.finished import observe_unfinished
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.jobs.doctor.finding import Finding, ok, warning
from mastodon_update_check.jobs.unfinished import outdated_services
from mastodon_update_check.messages.explanations import describe_unfinished

UPGRADE = "upgrade"


def probe_upgrade(settings: Settings, known: ServerState, now: datetime) -> Iterator[Finding]:
    """Say what is left to do: services as they run now, migrations as the last check found them."""
    services = outdated_services(settings.mastodon_root, now)
    known = replace(known, services=observe_unfinished(known.services, services, known.tree, now))
    sentences = [*describe_unfinished(known)]
    yield from (warning(UPGRADE, sentence) for sentence in sentences)
    if not sentences and known.migrations is not None:
        yield ok(UPGRADE, "no migrations are pending, and no services are older than the tree")
