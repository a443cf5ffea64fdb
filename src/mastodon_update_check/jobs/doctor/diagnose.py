"""Run all probes at the same time, each in a thread of its own, within one time limit."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as NotDoneError
from datetime import timedelta
from functools import partial

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import describe_bug
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.jobs.doctor.finding import Finding, error
from mastodon_update_check.jobs.doctor.probe_delivery import probe_monitoring, probe_people, probe_sink
from mastodon_update_check.jobs.doctor.probe_program import (
    describe_mastodons_check,
    probe_daemon,
    probe_ledger,
    probe_settings,
)
from mastodon_update_check.jobs.doctor.probe_server import probe_release_details, probe_upgrade, probe_versions
from mastodon_update_check.jobs.recipients import MAIL
from mastodon_update_check.jobs.threads import in_thread
from mastodon_update_check.monitoring.status import StatusReport

LIMIT = timedelta(seconds=75)
"""How long all of it may take: the slowest probe asks two servers, each bounded by 30 s."""


def diagnose(
    settings: Settings,
    read_status: Callable[[], StatusReport],
    clock: Clock,
    limit: timedelta = LIMIT,
    host: str = "",
) -> tuple[Finding, ...]:
    """Probe everything that is configured; `host` is the name of this machine among the nodes of the ledger."""
    status, ledger_findings = probe_ledger(settings, read_status)
    known = status.known if status else ServerState()
    probes = {
        "version": probe_versions(settings, known, clock),
        "recipients": probe_people(settings, known),
        **{sink.name: probe_sink(sink) for sink in settings.sinks if sink.plugin != MAIL},
        "release details": probe_release_details(settings, known),
        "upgrade": probe_upgrade(settings, known, clock()),
        "monitoring": probe_monitoring(settings),
        "daemon": probe_daemon(status, host),
    }
    return (
        *probe_settings(settings),
        *_run(probes, limit),
        *ledger_findings,
        describe_mastodons_check(settings),
    )


def _run(probes: Mapping[str, Iterator[Finding]], limit: timedelta) -> Iterator[Finding]:
    """Consume each generator in a thread."""
    end = time.monotonic() + limit.total_seconds()
    running = {subject: in_thread(partial(tuple, probe)) for subject, probe in probes.items()}
    for subject, future in running.items():
        try:
            yield from future.result(timeout=max(end - time.monotonic(), 0))
        except NotDoneError:
            yield error(subject, f"was not done within {limit.total_seconds():g} s: something on the way hangs")
        except Exception as crash:  # noqa: BLE001 - a bug in one probe must not hide the findings of the others
            yield error(subject, describe_bug(crash))
