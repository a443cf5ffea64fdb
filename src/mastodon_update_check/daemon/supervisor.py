"""The resident process: schedule, signals, systemd, ownership of the ledger. Everything else is done by children.

It imports no HTTP client, no mail code, and libpq only for a ledger in PostgreSQL. One thread, the main
one, acts; the others post events to it.
"""

import gc
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check import logs
from mastodon_update_check.daemon.children import ChildProcess, leave
from mastodon_update_check.daemon.owner import RENEWAL_SECONDS, LedgerOwner
from mastodon_update_check.daemon.schedule import GRACE, Schedule
from mastodon_update_check.daemon.systemd import CurrentProblems, SystemdNotifier
from mastodon_update_check.logs import log

CHECK_LIMIT = timedelta(minutes=5)
"""How long one check may take: its questions have limits of their own that add up to less."""
DELIVERY_SILENCE = timedelta(minutes=2)
"""How long a delivering child may be silent; it says every 20 s that it is well."""
PAUSE_SECONDS = 60.0
"""How long to wait before deliveries begin again that could not be made."""
CRASH_PAUSE_SECONDS = 5.0
START_PAUSE_SECONDS = 1.0
"""How long to wait before a job is started again that could not be started."""
PATIENCE_SECONDS = 8.0
"""How long children may finish attempts in progress when the daemon stops: less than `start.STOP_LIMIT`."""
RESTART = 75
"""Exit code that asks for a restart (`Restart=on-failure`)."""
_NEVER = float("inf")


class Supervisor:
    """Starts jobs when they are due, handles signals, and notifies systemd."""

    def __init__(self, prepared: Mapping[str, Any], events: "SimpleQueue[object]", notifier: SystemdNotifier) -> None:
        self._report = dict(prepared)
        """The latest report of any job."""
        self._events = events
        self._notifier = notifier
        self._owner = LedgerOwner(prepared)
        self._schedule = Schedule()
        self._children: dict[str, ChildProcess] = {}
        """One of each name at most; each posts itself to `events` when it has ended."""
        self._loaded_config = prepared["config"]
        """Our own file at the last reload."""
        self._problems = CurrentProblems()
        self._is_look_due = False
        self._deliver_at = _NEVER
        self._is_blind = False
        self._has_crashed = False
        self._failure = ""
        self._refused = ""
        """Why the last reload failed: jobs use the settings from before it."""

    def run(self) -> NoReturn:
        """Run until a signal to stop, then end the process with exit code 0."""
        self._notifier.notify("READY=1")
        gc.enable()  # it is disabled for a quick start, see `cli.main`
        gc.collect()
        gc.freeze()
        report = self._report
        shown = {name: report[name] for name in ("instance", "sinks", "interval")}
        log.info("daemon.started", **shown, ledger=report["ledger_name"])
        if report["off_reason"]:
            log.warning("daemon.off", reason=report["off_reason"])
        while True:
            self._keep_up()
            self._start_jobs()
            self._handle(self._next_event())

    def _next_event(self) -> object:
        # Half of the watchdog's interval, because a round itself takes time.
        watchdog = self._notifier.watchdog_interval
        waits = [RENEWAL_SECONDS, watchdog.total_seconds() / 2 if watchdog else _NEVER]
        if self._owner.is_owner and "deliver" not in self._children:
            waits.append(self._deliver_at - time.monotonic())
        if self._owner.is_owner and "work" not in self._children:
            waits.append(self._schedule.due_in.total_seconds())
        shortest = START_PAUSE_SECONDS if self._problems.get("job") or self._is_blind else 0.01
        with suppress(Empty):
            return self._events.get(timeout=max(min(waits), shortest))
        return None

    def _keep_up(self) -> None:
        """Renew ownership, feed the watchdog, and show the status, if everything is on time."""
        for child in self._children.values():
            if child.is_overdue:
                child.process.kill()
        was_owner = self._owner.is_owner
        self._problems.set("ledger", self._owner.keep())
        if self._owner.has_requests and "work" not in self._children:
            self._is_look_due = True
        if self._owner.is_owner and not was_owner:
            if self._schedule.due_in < timedelta():  # a standby's has been due for long
                self._schedule.make_due()
            self._deliver_at = 0.0  # messages of a former owner
        if was_owner and not self._owner.is_owner:
            for child in self._children.values():
                child.process.kill()
        is_late = self._owner.is_owner and self._schedule.due_in < -GRACE
        self._problems.set("schedule", "no check has begun for too long" if is_late else "")
        if not is_late and self._notifier.watchdog_interval:
            self._notifier.notify("WATCHDOG=1")
        next_at = datetime.now(UTC) + self._schedule.due_in
        soon = "" if self._report["off_reason"] else f"; next {next_at:%H:%M} UTC"
        line = f"{self._report['status']}{soon}" if self._owner.is_owner else "standby: another process owns the ledger"
        self._notifier.status(self._problems.prefix(line))

    def _start_jobs(self) -> None:
        if not self._owner.is_owner:
            return
        is_check_due = self._schedule.due_in <= timedelta()
        is_work_due = is_check_due or self._is_look_due or self._failure
        if (
            is_work_due
            and "work" not in self._children
            and not self._is_blind
            and self._start("work", CHECK_LIMIT, check=is_check_due, failure=self._failure)
        ):
            if is_check_due and not self._failure:  # recording a failure is not a check
                self._schedule.begin(self._report["interval"], self._report["jitter"])
            self._is_look_due = False
            self._failure = ""
        is_delivery_due = self._deliver_at <= time.monotonic() and "deliver" not in self._children
        if is_delivery_due and self._start("deliver", DELIVERY_SILENCE, has_crashed=self._has_crashed):
            self._deliver_at = _NEVER
        # Not before deliveries have ended: Mastodon's user, who causes this, could interrupt each attempt.
        if self._is_blind and not self._children:
            self._stop(RESTART)

    def _start(self, name: str, silence: timedelta, **order: object) -> bool:
        order |= {"token": self._owner.token, "bound_tree": self._report["bound_tree"]}
        if name != "prepare":
            order |= {"refused": self._refused, "config": self._report["config"]}
        try:
            child = ChildProcess(name, order, silence, self._events.put, self._owner.descriptor)
        except (OSError, RuntimeError) as error:  # the unit's TasksMax or MemoryMax
            self._problems.set("job", f"the job {name} could not be started: {error}")
            return False
        self._children[name] = child
        self._problems.set("job", "")
        return True

    def _handle(self, event: object) -> None:
        match event:
            case signal.SIGUSR1:  # a command has written a request into the ledger
                self._is_look_due = True
            case signal.SIGHUP:  # when the new settings are wrong the schedule stays as it is
                self._notifier.reloading()
                if "prepare" not in self._children and not self._start("prepare", CHECK_LIMIT):
                    self._notifier.notify("READY=1")
            case signal.SIGTERM | signal.SIGINT:
                self._stop(0)
            case ChildProcess(name=name):
                del self._children[name]
                if name == "prepare":
                    self._finish_reload(event)
                elif self._owner.is_owner:  # otherwise killed with the loss of ownership: not a failure
                    (self._finish_work if name == "work" else self._finish_deliveries)(event)

    def _finish_work(self, child: ChildProcess) -> None:
        report = child.result
        if report is None:
            failure = child.explain_end()
            self._problems.set("check", failure)
            if child.error is None:  # neither its settings nor the ledger are the cause: the next job records it
                self._failure = failure
            return
        self._problems.set("check", "")
        self._problems.set("settings", str(report["settings_problem"]))
        self._take(report)
        self._deliver_at = time.monotonic()
        if report.get("is_blind"):
            log.warning("daemon.blind", detail="Mastodon's tree was replaced: a new process will see the new one")
            self._is_blind = True

    def _finish_deliveries(self, child: ChildProcess) -> None:
        report = child.result
        self._has_crashed = report is None and child.error is None
        if report is None:
            self._problems.set("delivery", child.explain_end())
            # A job that crashed may crash again; its open attempt waits then.
            self._deliver_at = time.monotonic() + (CRASH_PAUSE_SECONDS if self._has_crashed else PAUSE_SECONDS)
            return
        failures = ". ".join(report["failures"])
        self._problems.set("delivery", failures)
        self._take(report)
        wait = PAUSE_SECONDS if failures else report["due_in"]
        again = _NEVER if wait is None else time.monotonic() + wait
        self._deliver_at = min(self._deliver_at, again)  # a check may have ended meanwhile

    def _take(self, report: Mapping[str, Any]) -> None:
        """Keep a report; a new interval begins with a check."""
        if any(report[name] != self._report[name] for name in ("interval", "jitter")):
            self._schedule.make_due()
        self._report |= {name: value for name, value in report.items() if value is not None or name != "config"}

    def _finish_reload(self, child: ChildProcess) -> None:
        report = child.result
        if report is None:
            reason = child.explain_end()
            log.error("daemon.reload_failed", detail=reason, effect="the former settings stay in use")
            self._refused = f"the new settings are wrong, the former ones stay in use: {reason}"
            self._problems.set("settings", self._refused)
        elif any(report[name] != self._report[name] for name in ("ledger", "instance", "presence")):
            log.info("daemon.restarting", detail="another ledger, or another server, needs a new process")
            self._stop(RESTART)
        else:
            logs.configure(report["log_level"], report["log_format"])
            self._problems.set("settings", "")
            self._refused = ""
            self._take(report)
            self._deliver_at = time.monotonic()
            if report["config"] != self._loaded_config:  # Mastodon's user causes reloads, too, and no check by them
                self._loaded_config = report["config"]
                self._schedule.make_due()
            log.info("daemon.reloaded", sinks=report["sinks"])
        self._notifier.notify("READY=1")

    def _stop(self, code: int) -> NoReturn:
        """Let every job finish its attempts for a while, and end the process."""
        self._notifier.notify("STOPPING=1")
        self._notifier.status("stopping: attempts in progress are being finished")
        log.info("daemon.stopping")
        for child in self._children.values():
            child.process.terminate()
        end = time.monotonic() + PATIENCE_SECONDS
        while self._children and time.monotonic() < end:
            with suppress(Empty):
                event = self._events.get(timeout=max(end - time.monotonic(), 0.01))
                if isinstance(event, ChildProcess):
                    del self._children[event.name]
        for name, child in self._children.items():
            log.warning("job.killed", job=name, detail="it did not end in time; its open attempts are repeated")
            child.process.kill()
        self._owner.leave()
        log.info("daemon.stopped")
        leave(code)
