"""The resident process: schedule, signals, systemd, ownership of the ledger. Everything else is done by children.

It imports no HTTP client, no mail code, and libpq only for a ledger in PostgreSQL. One thread, the main
one, acts; the others post events to it.
"""

import gc
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check import logs
from mastodon_update_check.daemon import limits
from mastodon_update_check.daemon.children import ChildProcess, Children, leave
from mastodon_update_check.daemon.owner import LedgerOwner
from mastodon_update_check.daemon.problems import CurrentProblems
from mastodon_update_check.daemon.scheduler import Scheduler
from mastodon_update_check.daemon.signals import SignalEvent
from mastodon_update_check.daemon.systemd import SystemdNotifier
from mastodon_update_check.logs import log

CHECK_DUE = "check"


class Supervisor:
    """Starts jobs when they are due, handles signals, and notifies systemd."""

    def __init__(self, prepared: Mapping[str, Any], events: "SimpleQueue[object]", notifier: SystemdNotifier) -> None:
        self._prepared = prepared
        self._events = events
        self._notifier = notifier
        self._owner = LedgerOwner(prepared)
        self._scheduler = Scheduler(lambda: events.put(CHECK_DUE), lambda: datetime.now(UTC))
        self._children = Children(events)
        self._report = dict(prepared)
        """The latest report of any job."""
        self._loaded_config = prepared["config"]
        """Our own file at the last reload."""
        self._problems = CurrentProblems()
        self._is_check_due = self._is_look_due = False
        self._deliver_at = float("inf")
        self._is_blind = False
        self._has_crashed = False
        self._failure = ""
        self._refused = ""
        """Why the last reload failed: jobs use the settings from before it."""

    def run(self) -> NoReturn:
        """Run until a signal to stop, then end the process with exit code 0."""
        self._plan_checks()
        self._scheduler.start()
        self._notifier.ready()
        gc.enable()  # it is disabled for a quick start, see `cli.main`
        gc.collect()
        gc.freeze()
        log.info(
            "daemon.started",
            instance=self._prepared["instance"],
            sinks=self._prepared["sinks"],
            interval=self._prepared["interval"],
            ledger=self._prepared["ledger_name"],
        )
        if self._prepared["off_reason"]:
            log.warning("daemon.off", reason=self._prepared["off_reason"])
        while True:
            self._keep_up()
            self._start_jobs()
            self._handle(self._next_event())

    def _plan_checks(self) -> None:
        interval, jitter = self._report["interval"], self._report["jitter"]
        self._scheduler.plan(timedelta(seconds=interval), timedelta(seconds=jitter))

    def _next_event(self) -> object:
        # Half of the watchdog's interval, because a round itself takes time.
        tick = min(limits.TICK, (self._notifier.watchdog_interval or limits.TICK) / 2, self._owner.tick)
        deliver_at = float("inf") if "deliver" in self._children else self._deliver_at
        seconds = min(tick.total_seconds(), max(deliver_at - time.monotonic(), 0.01))
        with suppress(Empty):
            return self._events.get(timeout=seconds)
        return None

    def _keep_up(self) -> None:
        """Renew ownership, feed the watchdog, and show the status, if everything is on time."""
        if not self._is_check_due:  # one that is due already cannot be brought forward
            self._scheduler.heal()
        self._children.kill_silent()
        was_owner = self._owner.is_owner
        self._problems.set("ledger", self._owner.keep())
        if self._owner.has_requests and "work" not in self._children:
            self._is_look_due = True
        if self._owner.is_owner and not was_owner:
            self._deliver_at = 0.0  # messages of a former owner
        if was_owner and not self._owner.is_owner:
            log.warning("owner.lost", detail="another process owns the ledger now")
            self._children.kill()
        if not self._owner.is_owner:
            self._scheduler.note_begun()  # the owner's schedule counts
        late = "" if self._scheduler.is_on_time() else "no check has begun for too long"
        self._problems.set("schedule", late)
        if not late:
            self._notifier.feed_watchdog()
            self._owner.show_presence()
        self._show_status()

    def _show_status(self) -> None:
        next_at = self._scheduler.next_check_at()
        soon = f"; next {next_at:%H:%M} UTC" if next_at and not self._report["off_reason"] else ""
        line = f"{self._report['status']}{soon}" if self._owner.is_owner else "standby: another process owns the ledger"
        self._notifier.status(self._problems.prefix(line))

    def _start_jobs(self) -> None:
        if not self._owner.is_owner:
            return
        is_work_due = (self._is_check_due or self._is_look_due or self._failure) and "work" not in self._children
        if (
            is_work_due
            and not self._is_blind
            and self._start("work", limits.CHECK_LIMIT, check=self._is_check_due, failure=self._failure)
        ):
            self._scheduler.note_begun()
            self._is_check_due = self._is_check_due and self._failure != ""  # recording a failure is not a check
            self._is_look_due = False
            self._failure = ""
        is_delivery_due = self._deliver_at <= time.monotonic() and "deliver" not in self._children
        if is_delivery_due and self._start("deliver", limits.DELIVERY_SILENCE, has_crashed=self._has_crashed):
            self._deliver_at = float("inf")
        # Not before deliveries have ended: Mastodon's user, who causes this, could interrupt each attempt.
        if self._is_blind and not self._children:
            self._stop(limits.RESTART)

    def _start(self, name: str, silence: timedelta, **order: object) -> bool:
        order |= {"token": self._owner.token, "bound_tree": self._report["bound_tree"]}
        if name != "prepare":
            order |= {"refused": self._refused, "config": self._report.get("config")}
        try:
            self._children.start(name, silence, order, self._owner.descriptor)
        except (OSError, RuntimeError) as error:  # the unit's TasksMax or MemoryMax
            self._problems.set("job", f"the job {name} could not be started: {error}")
            self._deliver_at = max(self._deliver_at, time.monotonic() + 1)
            return False
        self._problems.set("job", "")
        return True

    def _handle(self, event: object) -> None:
        if event == CHECK_DUE:
            self._is_check_due = True
        elif event is SignalEvent.LOOK:
            self._is_look_due = True
        elif event is SignalEvent.RELOAD:
            self._reload()
        elif event is SignalEvent.STOP:
            self._stop(0)
        elif isinstance(event, ChildProcess):
            self._finish(event)

    def _finish(self, child: ChildProcess) -> None:
        """Process the report of a job that has ended."""
        self._children.forget(child)
        if child.name != "prepare" and not self._owner.is_owner:  # killed with the loss of ownership: not a failure
            return
        finish = {"prepare": self._finish_reload, "work": self._finish_work, "deliver": self._finish_deliveries}
        finish[child.name](child)

    def _finish_work(self, child: ChildProcess) -> None:
        report = child.result
        if report is None:
            failure = child.explain_end()
            self._problems.set("check", failure)
            if child.report is None:  # neither its settings nor the ledger are the cause: the next job records it
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
        self._has_crashed = not child.report
        if report is None:
            self._problems.set("delivery", child.explain_end())
            # A job that crashed may crash again; its open attempt waits then.
            self._deliver_at = (
                time.monotonic() + (limits.CRASH_PAUSE if self._has_crashed else limits.PAUSE).total_seconds()
            )
            return
        problems = ". ".join(report["problems"])
        self._problems.set("delivery", problems)
        self._take(report)
        wait = limits.PAUSE.total_seconds() if problems else report["due_in"]
        again = float("inf") if wait is None else time.monotonic() + wait
        self._deliver_at = min(self._deliver_at, again)  # a check may have ended meanwhile

    def _take(self, report: Mapping[str, Any]) -> None:
        changed = any(report[name] != self._report[name] for name in ("interval", "jitter"))
        self._report |= {name: value for name, value in report.items() if value is not None or name != "config"}
        if changed:
            self._plan_checks()

    def _reload(self) -> None:
        """Have a child try the new settings; when they are wrong the schedule stays as it is."""
        self._notifier.reloading()
        if "prepare" not in self._children and not self._start("prepare", limits.CHECK_LIMIT):
            self._notifier.ready()

    def _finish_reload(self, child: ChildProcess) -> None:
        report = child.result
        if report is None:
            reason = child.explain_end()
            log.error("daemon.reload_failed", detail=reason, effect="the former settings stay in use")
            self._problems.set("settings", f"the new settings are wrong, the former ones stay in use: {reason}")
            self._refused = self._problems.get("settings")
        elif any(report[name] != self._prepared[name] for name in ("ledger", "instance", "presence")):
            log.info("daemon.restarting", detail="another ledger, or another server, needs a new process")
            self._stop(limits.RESTART)
        else:
            logs.configure(report["log_level"], report["log_format"])
            self._problems.set("settings", "")
            self._refused = ""
            self._take(report)
            self._deliver_at = time.monotonic()
            if report["config"] != self._loaded_config:  # Mastodon's user causes reloads, too, and no check by them
                self._loaded_config = report["config"]
                self._plan_checks()
            log.info("daemon.reloaded", sinks=report["sinks"])
        self._notifier.ready()

    def _stop(self, code: int) -> NoReturn:
        end = time.monotonic() + limits.STOP_SECONDS
        self._notifier.stopping()
        self._notifier.status("stopping: attempts in progress are being finished")
        log.info("daemon.stopping")
        self._scheduler.stop()
        self._children.stop(limits.PATIENCE)
        self._owner.leave()
        if code != limits.RESTART and self._report["has_page"] and self._start("publish", limits.PATIENCE):
            self._children.wait(timedelta(seconds=end - time.monotonic()))
        log.info("daemon.stopped")
        leave(code)
