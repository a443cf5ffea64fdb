"""The composition root: builds the program from its settings."""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings
from mastodon_update_check.config.load import state_directory
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.http.time_limit import in_thread
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.jobs.recipients import find_single_key
from mastodon_update_check.jobs.workers import Deliveries, add_lanes, hidden_options
from mastodon_update_check.ledger.file_lock import FileLock
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location, find_location
from mastodon_update_check.ledger.summary import OutboxSummary
from mastodon_update_check.logs import log
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.monitoring.heartbeat import Ping, judge_check, report_ping
from mastodon_update_check.sinks.discovery import load_sink

if TYPE_CHECKING:
    from mastodon_update_check.jobs.check import CheckOptions, CheckReport
    from mastodon_update_check.monitoring.status import StatusReport

PUBLISH_SECONDS = 10.0
"""How long the metrics and the status page may take: a check goes on without them."""
_HANGING = f"metrics and status page are not written within {PUBLISH_SECONDS:g} s: does their file system hang?"
_FOREIGN_LEDGER = (
    "LOCAL_DOMAIN is not set, but the ledger belongs to {others}: set it, or make the file readable that sets it "
    "(UPDATE_CHECK_MASTODON_ENV_FILE). Otherwise every notice would be sent again."
)


class App:
    """One configured program, for the commands and the jobs."""

    def __init__(self, settings: Settings, token: str = "") -> None:
        """`token` is the lease's, for a child process of the ledger's owner."""
        self.settings = settings
        self.host = socket.gethostname()
        self._token = token

    @staticmethod
    def clock() -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)

    @property
    def ledger_location(self) -> Location:
        """Return where the ledger is. Raises `SettingsError` when it is the URL of a database that cannot be read."""
        return find_location(self.settings.ledger, token=self._token)

    @property
    def presence(self) -> FileLock:
        """Return the lock that a running daemon holds on this machine: for a file, it is the ledger's own."""
        if not self.ledger_location.is_shared:
            return FileLock(f"{Path(self.settings.ledger).resolve()}.lock")
        return FileLock(f"{state_directory(os.environ, self.settings.config_file) / self.settings.instance}.lock")

    def create_ledger(self) -> Ledger:
        """Open the ledger, created if there is none. Raises `SettingsError` if the `LOCAL_DOMAIN` it has is not set."""
        ledger = self._own(Ledger.create(self.ledger_location, self.settings.instance))
        if self.ledger_location.is_shared:
            # The lock file says that this instance was used here, which `with_known_instance` asks for.
            with suppress(OSError):  # a changed LOCAL_DOMAIN in Mastodon's files is then not noticed
                path = Path(self.presence.path)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                path.touch(mode=0o600)
        return ledger

    def find_ledger(self) -> Ledger:
        """Open the ledger to read it; one that does not exist yet is empty. Raises as `create_ledger` does."""
        location, instance = self.ledger_location, self.settings.instance
        return self._own(Ledger.open(location, instance)) if location.exists() else Ledger.empty(instance)

    def _own(self, ledger: Ledger) -> Ledger:
        others = [name for name in ledger.instances() if name != self.settings.instance]
        if self.settings.instance_is_assumed and others:
            ledger.close()
            raise SettingsError([_FOREIGN_LEDGER.format(others=", ".join(others))])
        return ledger

    def open_ledger(self) -> Ledger:
        """Open the ledger again, for another thread."""
        return Ledger.open(self.ledger_location, self.settings.instance, verify=False)

    @contextmanager
    def owned_ledger(self) -> Iterator[Ledger | None]:
        """Own the ledger for the duration of the block; yield None while another process owns it."""
        location = self.ledger_location
        if not location.exists():
            location.create()
        ownership = location.ownership(self.host)
        if not ownership.acquire(is_daemon=False):
            yield None
            return
        self._token = ownership.token
        try:
            with ownership.renewed(), self.create_ledger() as ledger:
                ledger.close_open_attempts(self.clock())
                yield ledger
        finally:
            ownership.release()
            self._token = ""

    def sink_settings(self, ledger: Ledger) -> Mapping[str, str]:
        """Return a fingerprint of each configured sink's settings."""
        return {sink.name: ledger.fingerprint(json.dumps(sorted(sink.options.items()))) for sink in self.settings.sinks}

    def run_check(self, ledger: Ledger, options: "CheckOptions") -> "CheckReport":
        """Run one check as the owner of the ledger; `finish_check` follows."""
        from mastodon_update_check.jobs.check import check

        unheard = filter(None, [self._ping(Ping.START, "a check begins")])
        unpublished = self.publish(ledger)  # what cannot be written becomes a warning of this check
        options = replace(options, warnings=(*options.warnings, *unheard, *unpublished))
        return check(self.settings, ledger, self.sink_settings(ledger), self.clock(), options)

    def finish_check(self, ledger: Ledger, report: "CheckReport") -> None:
        """Update metrics, status page and heartbeat after a check."""
        self.publish(ledger)
        self._ping(*judge_check(report.result.error, self.summary(ledger).waiting_since, self.clock()))

    def _ping(self, event: Ping, text: str) -> str:
        from mastodon_update_check.jobs.observe import proxies

        return report_ping(self.settings.heartbeat_url, event, text, proxies(self.settings))

    def read_status(self) -> "StatusReport":
        """Return the status of the server; see `find_ledger`."""
        with self.find_ledger() as ledger:
            return self.status_report(ledger)

    def status_report(self, ledger: Ledger) -> "StatusReport":
        """Return the status of the server."""
        from mastodon_update_check.domain.server.status import judge
        from mastodon_update_check.monitoring.status import StatusReport

        settings, now, owner = self.settings, self.clock(), self.presence.owner()
        known, outbox = ledger.state(), self.summary(ledger)
        return StatusReport(
            settings=settings,
            known=known,
            outbox=outbox,
            last_beat_at=owner.alive_at if owner is not None and owner.is_daemon else None,
            nodes=ledger.nodes(now) if self.ledger_location.is_shared else (),
            now=now,
            verdict=judge(known, outbox.waiting_since, now, settings.interval, settings.off_reason),
        )

    def publish(self, ledger: Ledger) -> tuple[str, ...]:
        """Write the metrics and the status page, if configured; return a warning for each failure."""
        if self.settings.metrics_file is None and self.settings.page_file is None:
            return ()
        from mastodon_update_check.monitoring.publish import publish

        report = self.status_report(ledger)
        try:
            return in_thread(lambda: publish(report)).result(timeout=PUBLISH_SECONDS)
        except TimeoutError:  # a file system whose server is gone
            log.warning("publish.failed", detail=_HANGING)
            return (_HANGING,)

    def delivery_workers(self, ledger: Ledger, due_by: datetime | None = None) -> tuple[DeliveryWorker, ...]:
        """Return a worker for each configured sink; see `DeliveryWorker.due_by`."""
        fingerprints = self.sink_settings(ledger)
        return tuple(
            DeliveryWorker(
                sink_name=sink.name,
                load_sink=partial(load_sink, sink.plugin, sink.options),
                settings=fingerprints[sink.name],
                open_ledger=self.open_ledger,
                describe=lambda ledger: self.context_of(ledger.state()),
                clock=self.clock,
                due_by=due_by,
                only_to=find_single_key(sink),
                secrets=hidden_options(sink),
            )
            for sink in self.settings.sinks
        )

    def deliveries(self, ledger: Ledger, due_by: datetime | None = None) -> Deliveries:
        """Return the deliveries of a process; messages are due again if their sink's settings have changed since."""
        fingerprints = self.sink_settings(ledger)
        with ledger.writing() as transaction:
            transaction.hurry_changed(fingerprints, due_by or self.clock())
        return Deliveries(add_lanes(self.delivery_workers(ledger, due_by), ledger))

    def next_due_at(self, ledger: Ledger) -> datetime | None:
        """Return when the next message of a configured sink is due."""
        now, sinks = self.clock(), self.settings.sinks
        due = (ledger.next_due_at(sink.name, now, only_to=find_single_key(sink)) for sink in sinks)
        return min(filter(None, due), default=None)

    def summary(self, ledger: Ledger) -> OutboxSummary:
        """Count the undelivered messages of the configured sinks."""
        return ledger.summary(self.clock(), self.settings.sink_names)

    def context_of(self, known: ServerState) -> MessageContext:
        """Return the content of messages that does not come from their notices."""
        settings = self.settings
        return MessageContext(
            instance=settings.instance,
            knowledge=known,
            now=self.clock(),
            hostname=self.host,
            web_domain="" if settings.instance_is_assumed else settings.web_domain,
            has_admin_page=not settings.mastodon_check_is_off,
            update_host=urlsplit(settings.url or "").hostname or "",
            reminders=settings.reminders,
            install_kind=settings.install_kind,
        )
