"""The daemon: checks on a schedule, one worker for each sink, signals, and word to systemd.

Signals are blocked from the first moment of the process (see `cli`) and taken here one by one: none can interrupt
anything, and none is lost while the program is still starting.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

import structlog

from mastodon_update_check.app import App
from mastodon_update_check.core.status import describe_line
from mastodon_update_check.errors import LedgerError, SettingsError, UpdateCheckError
from mastodon_update_check.notifier import Notifier
from mastodon_update_check.schedule import Schedule
from mastodon_update_check.worker import Worker

TICK = timedelta(seconds=10)
BEAT = timedelta(seconds=60)
"""How often the ledger gets the sign of life that `status --alive` looks for."""
PATIENCE = timedelta(seconds=8)
"""How long the attempts in hand may take once the daemon is told to stop."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
CHECK_LIMIT = timedelta(minutes=5)
"""How long one check may take: its questions have bounds of their own that add up to less."""

log = structlog.get_logger()


class Service:
    """The workers of one configuration, one for each sink."""

    def __init__(self, app: App, on_change: Callable[[], None]) -> None:
        """Raises `LedgerError` and `SettingsError` when it cannot work."""
        self.app = app
        self._is_stopping = False
        with app.create_ledger() as ledger:
            couriers = app.couriers(ledger, is_stopping=lambda: self._is_stopping)
        for courier in couriers:
            courier.load()
        self.workers = tuple(Worker(courier, on_change) for courier in couriers)

    def start(self) -> None:
        """Begin to deliver what is due."""
        for worker in self.workers:
            worker.start()

    def wake(self) -> None:
        """Look at once whether something is due."""
        for worker in self.workers:
            worker.wake()

    def stop(self) -> None:
        """Begin nothing new; what is in hand goes on."""
        self._is_stopping = True
        for worker in self.workers:
            worker.stop()

    def drain(self, patience: timedelta) -> None:
        """Wait for the attempts in hand; release those that are not done in time, since nobody knows their outcome."""
        end = time.monotonic() + patience.total_seconds()
        late = [worker for worker in self.workers if not worker.join(end - time.monotonic())]
        for worker in late:
            claim = worker.courier.claim
            if claim is not None:
                log.warning("delivery.released", sink=worker.courier.sink_name, message_id=claim.message_id)
                with self.app.open_ledger() as ledger:
                    ledger.release(claim, self.app.clock())

    def is_well(self) -> bool:
        """Whether nothing is past its own time-out, and every thread that must run runs."""
        overdue = self.app.operations.overdue()
        if overdue:
            log.critical("daemon.stuck", operations=list(overdue))
        return not overdue and all(worker.is_alive for worker in self.workers)


class Daemon:
    """The main thread: takes signals, feeds the watchdog, keeps the status line true."""

    def __init__(self, load: Callable[[], App]) -> None:
        """`load` reads the settings again; it raises `SettingsError` when they are wrong."""
        self._load = load
        self._notifier = Notifier()
        app = load()
        self._service = Service(app, self._show_status)
        self._schedule = Schedule(self._check, app.clock)
        self._trouble = ""
        self._last_beat = float("-inf")

    def run(self) -> NoReturn:
        """Work until told to stop, then leave the process with exit code 0."""
        self._begin()
        self._schedule.start()
        self._notifier.ready()
        self._announce()
        tick = min(TICK, self._notifier.watchdog_interval or TICK)
        while True:
            self._keep_up()
            received = signal.sigtimedwait(SIGNALS, tick.total_seconds())
            if received is None:
                continue
            if received.si_signo == signal.SIGHUP:
                self._reload()
            else:
                self._stop()

    def _begin(self) -> None:
        settings = self._service.app.settings
        self._service.start()
        self._schedule.plan(settings.interval, settings.jitter)

    def _check(self) -> None:
        """Run one check; whatever goes wrong is said, and the next one comes in its time."""
        service = self._service
        try:
            with service.app.operations.running("check", CHECK_LIMIT), service.app.open_ledger() as ledger:
                service.app.check(ledger)
            self._trouble = ""
        except UpdateCheckError as error:
            self._trouble = str(error)
            log.error("check.failed", detail=str(error))  # noqa: TRY400 - a sentence, no traceback
        except Exception as error:  # noqa: BLE001 - a bug must not end the checks; it is said, and shows in STATUS
            self._trouble = f"the check crashed: {type(error).__name__}: {error}"
            log.critical("check.crashed", detail=self._trouble)
        service.wake()
        self._show_status()

    def _announce(self) -> None:
        settings = self._service.app.settings
        log.info(
            "daemon.started",
            instance=settings.instance,
            sinks=[sink.name for sink in settings.sinks],
            interval=settings.interval.total_seconds(),
            ledger=str(self._service.app.ledger_path),
        )
        if settings.off_reason:
            log.warning("daemon.off", reason=settings.off_reason)

    def _keep_up(self) -> None:
        self._schedule.heal()
        if self._service.is_well() and self._schedule.is_on_time():
            self._notifier.feed_watchdog()
            self._beat()

    def _beat(self) -> None:
        if time.monotonic() - self._last_beat < BEAT.total_seconds():
            return
        app = self._service.app
        try:
            with app.open_ledger() as ledger:
                ledger.beat(app.settings.instance, app.clock())
        except LedgerError as error:
            log.error("ledger.failed", detail=str(error))  # noqa: TRY400 - a sentence, no traceback
        self._last_beat = time.monotonic()

    def _show_status(self) -> None:
        """Bring the status line up to date; every thread that has news calls this."""
        app = self._service.app
        try:
            with app.open_ledger() as ledger:
                known = ledger.knowledge(app.settings.instance)
                outbox = ledger.summary(app.settings.instance, app.clock())
        except LedgerError as error:
            self._notifier.status(str(error))
            return
        line = describe_line(known, outbox.undelivered, self._schedule.next_check_at(), app.settings.off_reason)
        self._notifier.status(f"{self._trouble}. {line}" if self._trouble else line)

    def _reload(self) -> None:
        """Take the settings anew; when they are wrong the old ones stay, and that is said."""
        self._notifier.reloading()
        old = self._service
        try:
            new = Service(self._load(), self._show_status)
        except (SettingsError, LedgerError) as error:
            log.error("daemon.reload_failed", detail=str(error))  # noqa: TRY400 - sentences, no traceback
            self._notifier.ready()
            self._notifier.status(f"the new settings are wrong, the old ones stay: {error}")
            return
        # The old workers finish what they have in hand: their claims keep the new ones away from it.
        old.stop()
        self._service = new
        self._begin()
        self._notifier.ready()
        log.info("daemon.reloaded", sinks=[sink.name for sink in new.app.settings.sinks])

    def _stop(self) -> NoReturn:
        self._notifier.stopping()
        self._notifier.status("stopping")
        log.info("daemon.stopping")
        self._schedule.stop()
        self._service.stop()
        threading.Thread(target=_leave_on_second_signal, daemon=True).start()
        try:
            self._service.drain(PATIENCE)
        except LedgerError as error:
            log.error("ledger.failed", detail=str(error))  # noqa: TRY400 - a sentence, no traceback
        log.info("daemon.stopped")
        leave(0)


def _leave_on_second_signal() -> None:
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    leave(0)


def leave(code: int) -> NoReturn:
    """End the process now: a thread that hangs in the network would keep an ordinary exit waiting."""
    import sys

    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(load: Callable[[], App]) -> NoReturn:
    """Run the daemon.

    Raises:
        SettingsError: the settings are wrong.
        LedgerError: the ledger cannot be used.
    """
    Daemon(load).run()
