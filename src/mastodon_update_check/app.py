"""The composition root: from settings to a program. Everything else receives what it needs."""

import json
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.jobs.clock import Clock, system_clock
from mastodon_update_check.jobs.deliver import LONGEST_SLEEP, SHARED_SLEEP, Courier
from mastodon_update_check.jobs.operations import Operations
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Bid, Taken, Turn
from mastodon_update_check.ledger.place import find_place
from mastodon_update_check.ledger.summary import EMPTY_OUTBOX, OutboxSummary
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.translation import ENGLISH, Translation, language_tags
from mastodon_update_check.sinks.base import Sink

if TYPE_CHECKING:
    from mastodon_update_check.jobs.check import CheckReport
    from mastodon_update_check.monitoring.heartbeat import Heartbeat
    from mastodon_update_check.monitoring.status_report import StatusReport

_FOREIGN_LEDGER = (
    "LOCAL_DOMAIN is not set, but the ledger holds what {others} was told: set it, or make the file readable that "
    "sets it (UPDATE_CHECK_MASTODON_ENV_FILE). Otherwise all would be told twice."
)


class App:
    """One configured program: what `run`, `check` and `status` work with."""

    def __init__(self, settings: Settings, clock: Clock = system_clock, host: str = "") -> None:
        """`host` is this machine's name among those that use the same ledger; by default its own."""
        self.settings = settings
        self.clock = clock
        self.host = host or socket.gethostname()
        self._turn: Turn | None = None
        """The last turn to check that was this node's."""
        self.operations = Operations()

    @cached_property
    def ledger_place(self) -> Place:
        """Where the ledger is.

        Raises:
            SettingsError: it is the URL of a database, and cannot be read.
        """
        return find_place(self.settings.ledger)

    def create_ledger(self) -> Ledger:
        """Open the ledger, made anew if there is none, and make sure that it is this server's.

        Raises:
            LedgerError: it cannot be used.
            SettingsError: `LOCAL_DOMAIN` is missing, and the ledger belongs to a server that had one.
        """
        return self._own(Ledger.create(self.ledger_place))

    def find_ledger(self) -> Ledger | None:
        """Open the ledger if there is one; nothing is made. Raises what `create_ledger` raises."""
        return self._own(Ledger.open(self.ledger_place)) if self.ledger_place.exists() else None

    def _own(self, ledger: Ledger) -> Ledger:
        others = [name for name in ledger.instances() if name != self.settings.instance]
        if self.settings.instance_is_assumed and others:
            ledger.close()
            raise SettingsError([_FOREIGN_LEDGER.format(others=", ".join(others))])
        return ledger

    def last_beat_at(self, ledger: Ledger) -> datetime | None:
        """Return when the daemon last gave a sign of life; where machines share a ledger, the one of this machine."""
        return ledger.last_beat_at(self.settings.instance, self.host if self.ledger_place.is_shared else "")

    def open_ledger(self) -> Ledger:
        """Open the ledger again, for another thread."""
        return Ledger.open(self.ledger_place, verify=False)

    def take_turn(self, ledger: Ledger) -> Turn | Taken:
        """Take this node's turn to check, or say who has it."""
        settings = self.settings
        bid = Bid(
            instance=settings.instance,
            settings=ledger.fingerprint(settings.describe_plans()),
            host=self.host,
            former=self._turn.token if self._turn else "",
            now=self.clock(),
            longest=settings.interval + settings.jitter + timedelta(minutes=1),
        )
        turn = ledger.take_turn(bid)
        if isinstance(turn, Turn):
            self._turn = turn
        return turn

    def sink_settings(self, ledger: Ledger | None) -> Mapping[str, str]:
        """Return a fingerprint of each configured sink's settings."""
        texts = {sink.name: json.dumps(sorted(sink.options.items())) for sink in self.settings.sinks}
        return {name: ledger.fingerprint(text) if ledger else "" for name, text in texts.items()}

    def check(
        self,
        ledger: Ledger | None,
        *,
        dry_run: bool = False,
        mark: bool = False,
        settings_trouble: str = "",
        warnings: Sequence[str] = (),
        turn: Turn | None = None,
    ) -> "CheckReport":
        """Run one check now; `settings_trouble` and `warnings` say what is amiss with this program itself."""
        from mastodon_update_check.jobs.check import OwnTroubles, check

        own = OwnTroubles(settings=settings_trouble, others=tuple(warnings))
        sinks = self.sink_settings(ledger)
        return check(self.settings, ledger, sinks, self.clock, dry_run=dry_run, mark=mark, own=own, turn=turn)

    @cached_property
    def heartbeat(self) -> "Heartbeat":
        """What tells the monitoring service of checks, if there is one."""
        from mastodon_update_check.jobs.observe import proxies
        from mastodon_update_check.monitoring.heartbeat import Heartbeat

        url = self.settings.heartbeat_url
        return Heartbeat(url=url.get_secret_value() if url else None, proxies=proxies(self.settings))

    def status_report(self, ledger: Ledger | None) -> "StatusReport":
        """Return the status of the server; without a ledger, that of one that was never checked."""
        from mastodon_update_check.domain.status import judge
        from mastodon_update_check.monitoring.status_report import StatusReport

        settings, now = self.settings, self.clock()
        known = ledger.knowledge(settings.instance) if ledger else ServerState()
        outbox = self.summary(ledger) if ledger else EMPTY_OUTBOX
        return StatusReport(
            settings=settings,
            known=known,
            outbox=outbox,
            last_beat_at=self.last_beat_at(ledger) if ledger else None,
            nodes=ledger.nodes(settings.instance, now) if ledger and self.ledger_place.is_shared else (),
            now=now,
            verdict=judge(known, outbox.waiting_since, now, settings.interval, settings.off_reason),
        )

    def publish(self, ledger: Ledger) -> tuple[str, ...]:
        """Write the metrics and the status page, as far as they are wanted; return a warning for each failure."""
        if self.settings.metrics_file is None and self.settings.page_file is None:
            return ()
        from mastodon_update_check.monitoring.publish import publish

        return publish(self.status_report(ledger))

    def couriers(self, ledger: Ledger) -> tuple[Courier, ...]:
        """Return one courier for each configured sink."""
        from mastodon_update_check.jobs.recipients import find_single_key

        fingerprints = self.sink_settings(ledger)
        return tuple(
            Courier(
                sink_name=sink.name,
                load_sink=loader(sink),
                settings=fingerprints[sink.name],
                instance=self.settings.instance,
                open_ledger=self.open_ledger,
                describe=self.surroundings,
                clock=self.clock,
                operations=self.operations,
                only_to=find_single_key(sink),
                find_words=find_words,
                longest_sleep=SHARED_SLEEP if self.ledger_place.is_shared else LONGEST_SLEEP,
            )
            for sink in self.settings.sinks
        )

    def summary(self, ledger: Ledger) -> OutboxSummary:
        """Count what is not delivered yet by the sinks that are configured."""
        return ledger.summary(self.settings.instance, self.clock(), self.settings.sink_names)

    def surroundings(self, ledger: Ledger) -> MessageContext:
        """Return what a message says besides its notices."""
        return self.surroundings_of(ledger.knowledge(self.settings.instance))

    def surroundings_of(self, known: ServerState) -> MessageContext:
        """Return the same for what is known by other ways."""
        settings = self.settings
        return MessageContext(
            instance=settings.instance,
            knowledge=known,
            devops_users=known.devops_users,
            now=self.clock(),
            hostname=self.host,
            web_domain="" if settings.instance_is_assumed else settings.web_domain,
            has_admin_page=not settings.mastodon_check_is_off,
            update_host=urlsplit(settings.url or "").hostname or "",
            reminders=settings.reminders,
        )


def find_words(locale: str) -> Translation:
    """Return the language of a locale: English unless there is a catalogue, which is read when it is first needed."""
    if not language_tags(locale):
        return ENGLISH
    from mastodon_update_check.translations import load_translation

    return load_translation(locale)


def loader(sink: SinkSettings) -> Callable[[], Sink]:
    """Return what makes a sink; it raises `SettingsError` when that cannot be done."""

    def load() -> Sink:
        from mastodon_update_check.sinks.discovery import load_sink

        return load_sink(sink.plugin, sink.options)

    return load
