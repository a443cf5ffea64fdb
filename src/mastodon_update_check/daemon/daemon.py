"""The daemon: checks on a schedule, one worker for each sink, orders by signal, and word to systemd."""

import gc
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import NoReturn

from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.daemon.scheduler import Scheduler
from mastodon_update_check.daemon.service import TURN_SLACK, Service
from mastodon_update_check.daemon.signals import Order, Signals
from mastodon_update_check.daemon.systemd import SystemdNotifier
from mastodon_update_check.domain.status import describe_line
from mastodon_update_check.errors import LedgerError, UpdateCheckError
from mastodon_update_check.ledger.nodes import Taken
from mastodon_update_check.logs import log

TICK = timedelta(seconds=10)
BEAT = timedelta(seconds=60)
"""How often the ledger gets the sign of life that `status --alive` looks for, and the status line is made anew."""
LOOK = timedelta(seconds=9)
"""How often, at most, the ledger is asked whether something is due that nobody in this process knows of (`retry`)."""
PATIENCE = timedelta(seconds=8)
"""How long the attempts in hand may take once the daemon is told to stop."""
BEGIN_ANEW = 75
"""Exit code that asks for a new start (`Restart=on-failure`): it may work then."""


class Daemon:
    """The main thread: follows orders, feeds the watchdog, keeps the status line true."""

    def __init__(self, load: Callable[[], App], notifier: SystemdNotifier, signals: Signals) -> None:
        """`load` reads the settings, now and at each reload; raises `SettingsError` and `LedgerError`."""
        self._load = load
        self._notifier = notifier
        self._signals = signals
        app = load()
        self._service = Service(app, self._show_status)
        self._retired: tuple[Service, ...] = ()
        """Services of former settings that still have something in hand."""
        self._schedule = Scheduler(self._check, app.clock)
        self._troubles = {"settings": "", "check": "", "ledger": ""}
        self._defects: tuple[str, ...] = ()
        self._last_beat = self._last_complaint = float("-inf")
        self._last_look = time.monotonic()
        self._has_made_up = False
        """Whether the check that the ledger was away for has been tried again."""
        self._is_stopping = False

    def run(self) -> NoReturn:
        """Work until told to stop, then leave the process with exit code 0."""
        self._plan_checks()
        self._schedule.stand()
        # Settings, ledger and scheduler stand; what begins after this would only compete for the processor.
        self._notifier.ready()
        self._service.start()
        self._schedule.start()
        gc.enable()  # it is disabled for a quick start, see `cli`
        self._announce()
        # Half of what the watchdog asks for: what a round takes itself comes on top.
        tick = min(TICK, (self._notifier.watchdog_interval or TICK) / 2)
        while True:
            self._keep_up()
            order = self._signals.wait(tick.total_seconds())
            if order is Order.RELOAD:
                self._reload()
            elif order is Order.STOP:
                self._stop(time_asked=self._signals.stop_asked_at)
            elif self._service.is_blind:
                log.warning("daemon.blind", detail="Mastodon's tree was replaced: a new process will see the new one")
                self._stop(time_asked=time.monotonic(), code=BEGIN_ANEW)

    def _plan_checks(self) -> None:
        settings = self._service.app.settings
        self._schedule.plan(settings.interval, settings.jitter)

    def _check(self) -> None:
        """Run one check; whatever goes wrong is said, and the next one comes in its time."""
        service = self._service
        outcome = service.check(self._troubles["settings"], self._schedule.next_check_at)
        if isinstance(outcome, Taken):
            # A moment later than others who wait for the same: one of them is enough.
            self._schedule.put_off(outcome.until + random.random() * TURN_SLACK)  # noqa: S311 - keeps no secret
            log.debug("check.left", host=outcome.host, until=outcome.until.isoformat(timespec="seconds"))
            outcome = ""
        self._has_made_up &= service.is_behind
        self._troubles["check"] = outcome
        service.wake()
        self._show_status()

    def _announce(self) -> None:
        settings = self._service.app.settings
        log.info(
            "daemon.started",
            instance=settings.instance,
            sinks=[sink.name for sink in settings.sinks],
            interval=settings.interval.total_seconds(),
            ledger=str(self._service.app.ledger_place),
        )
        if settings.off_reason:
            log.warning("daemon.off", reason=settings.off_reason)

    def _keep_up(self) -> None:
        """Feed the watchdog and give the sign of life, if nothing is past its own time-out."""
        self._schedule.heal()
        self._retired = tuple(service for service in self._retired if not service.is_over)
        defects = [defect for service in (self._service, *self._retired) for defect in service.defects()]
        late = [] if self._schedule.is_on_time() else ["schedule of checks"]
        previous, self._defects = self._defects, (*defects, *late)
        if self._defects == ():
            self._notifier.feed_watchdog()
            self._beat()
            self._look()
        elif self._defects != previous:
            log.critical("daemon.stuck", operations=list(self._defects))
            self._show_status()

    def _beat(self) -> None:
        if time.monotonic() - self._last_beat < BEAT.total_seconds():
            return
        app = self._service.app
        try:
            with app.open_ledger() as ledger:
                ledger.beat(app.settings.instance, app.clock(), app.host)
                app.publish(ledger)
        except LedgerError as error:
            self._miss_ledger(error)
            self._last_look = time.monotonic()
        else:
            self._greet_ledger()
        self._last_beat = time.monotonic()
        self._show_status()

    def _miss_ledger(self, error: LedgerError) -> None:
        """Say that the ledger cannot be used, at once and then every minute."""
        had_trouble, self._troubles["ledger"] = self._troubles["ledger"], str(error)
        if not had_trouble or time.monotonic() - self._last_complaint >= BEAT.total_seconds():
            self._last_complaint = time.monotonic()
            log.error("ledger.failed", detail=str(error))

    def _greet_ledger(self) -> None:
        """Say that the ledger can be used again, and make up, once, for a check that it was away for."""
        if self._troubles["ledger"]:
            self._troubles["ledger"] = ""
            log.info("ledger.recovered")
            self._has_made_up = False
        if self._service.is_behind and not self._has_made_up:
            self._has_made_up = True
            self._schedule.put_off(self._service.app.clock())

    def _look(self) -> None:
        """Have the workers begin what another process has made due."""
        if time.monotonic() - self._last_look < LOOK.total_seconds():
            return
        self._last_look = time.monotonic()
        try:
            self._service.wake_due()
        except LedgerError as error:
            self._miss_ledger(error)
            self._show_status()
        else:
            if self._troubles["ledger"]:
                self._last_beat = float("-inf")
                self._beat()  # it can be read; whether it can be written to is seen so

    def _show_status(self) -> None:
        """Bring the status line up to date; every thread that has news calls this."""
        if not self._is_stopping:
            # What is wrong comes first: the line is cut at its end.
            stuck = f"stuck: {', '.join(self._defects)}" if self._defects else ""
            parts = (stuck, *self._troubles.values(), *self._service.troubles(), self._describe())
            self._notifier.status(". ".join(dict.fromkeys(part for part in parts if part)))

    def _describe(self) -> str:
        if self._troubles["ledger"]:  # waiting for it once more would keep the watchdog waiting, too
            return self._troubles["ledger"]
        app = self._service.app
        try:
            with app.open_ledger() as ledger:
                known = ledger.knowledge(app.settings.instance)
                outbox = ledger.summary(app.settings.instance, app.clock(), app.settings.sink_names)
        except LedgerError as error:
            return str(error)
        return describe_line(known, outbox.undelivered, self._schedule.next_check_at(), app.settings.off_reason)

    def _reload(self) -> None:
        """Take the settings anew; when they are wrong the old ones stay, and that is said."""
        self._notifier.reloading()
        restore_logs = logs.snapshot()
        try:
            self._replace(Service(self._load(), self._show_status, self._service))
            self._troubles["settings"] = ""
            log.info("daemon.reloaded", sinks=[sink.name for sink in self._service.app.settings.sinks])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the new settings, the old ones do
            restore_logs()
            reason = str(error) if isinstance(error, UpdateCheckError) else f"{type(error).__name__}: {error}"
            self._troubles["settings"] = f"the new settings are wrong, the old ones stay: {reason}"
            log.error("daemon.reload_failed", detail=reason, effect="the old settings stay")
        self._notifier.ready()
        self._show_status()

    def _replace(self, new: Service) -> None:
        """Let the old workers finish what they have in hand: their claims keep the new ones away from it."""
        self._service.stop()
        self._retired = (*self._retired, self._service)
        self._service = new
        self._last_beat = float("-inf")
        self._service.start()
        self._plan_checks()

    def _stop(self, *, time_asked: float, code: int = 0) -> NoReturn:
        self._is_stopping = True
        self._notifier.stopping()
        self._notifier.status("stopping: what is in hand is being finished")
        log.info("daemon.stopping")
        services = (self._service, *self._retired)
        for service in services:
            service.stop()
        self._schedule.stop()
        self._service.say_goodbye()
        for service in services:
            service.drain(time_asked + PATIENCE.total_seconds())
        log.info("daemon.stopped")
        leave(code)


def leave(code: int) -> NoReturn:
    """End the process now: a thread that hangs in the network would keep an ordinary exit waiting."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # closed by whoever was to read it
            stream.flush()
    os._exit(code)


def run(load: Callable[[], App]) -> NoReturn:
    """Run the daemon.

    Raises:
        SettingsError: the settings are wrong.
        LedgerError: the ledger cannot be used.
    """
    threading.excepthook = _log_crash
    signals, notifier = Signals(), SystemdNotifier()
    signals.start()
    try:
        daemon = Daemon(load, notifier, signals)
    except UpdateCheckError as error:
        notifier.status(str(error))
        raise
    try:
        daemon.run()
    except Exception as error:  # noqa: BLE001 - said in one line; the threads must not outlive the one that leads them
        log.critical("daemon.crashed", detail=f"{type(error).__name__}: {error}")
        leave(70)


def _log_crash(crash: threading.ExceptHookArgs) -> None:
    """Say in one line what ended a thread."""
    thread = crash.thread.name if crash.thread else "unknown"
    log.critical("thread.crashed", thread=thread, detail=f"{crash.exc_type.__name__}: {crash.exc_value}")
