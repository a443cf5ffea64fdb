"""What a child process of the supervisor does: the code of the one-shot commands, a report, and the end."""

import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from mastodon_update_check.app import App, presence_of
from mastodon_update_check.config.defaults import CONFIG_FILE
from mastodon_update_check.daemon.child import ORDER, die_with_parent
from mastodon_update_check.daemon.tree_watch import TreeWatch
from mastodon_update_check.domain.status import describe_line
from mastodon_update_check.errors import LedgerError, SettingsError, TransientDeliveryError
from mastodon_update_check.jobs.check import CheckOptions
from mastodon_update_check.jobs.check_result import CheckResult
from mastodon_update_check.jobs.deliver import DeliveryWorker, log_attempt, settle_attempt
from mastodon_update_check.jobs.requests import answer_requests
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import hide_secrets, log
from mastodon_update_check.startup import load_app, require_set_up

SIGN_SECONDS = 20.0
"""How often a delivering child says that it is well."""
GRACE = timedelta(seconds=10)
"""How long the other sinks may go on when one is past its limit; then the process ends, and with it what hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the supervisor says to a job."""

    parent: int
    token: str = ""
    """Of the lease, where the ledger is in PostgreSQL."""
    check: bool = False
    """Check now, whether a command asks for it or not."""
    failure: str = ""
    """Why the check before could not be finished."""
    config: int | None = None
    """A descriptor that holds our own file as it was when it could be used."""
    has_crashed: bool = False
    """Whether the delivering job before ended without a result."""
    refused: str = ""
    """Why a reload has failed: the settings from before it are used, without looking at the new ones."""
    seen: Mapping[str, Any] | None = None
    """What the `TreeWatch` of the job before has seen."""


def main(name: str) -> NoReturn:
    """Execute one job, and leave the process: nothing that hangs keeps it."""
    order = Order(**json.loads(os.environ.pop(ORDER)))
    die_with_parent(order.parent)
    gc.enable()  # disabled for a quick start, see `cli.main`
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    code = 0
    try:
        {"prepare": _prepare, "work": _work, "deliver": _deliver}[name](order)
    except SettingsError as error:
        code = 78
        _report(settings_problems=error.problems)
    except LedgerError as error:
        code = 74
        _report(ledger_problem=str(error))
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _report(**fields: object) -> None:
    """Write one line to the supervisor, which may have ended."""
    with suppress(OSError):
        sys.stdout.write(f"{json.dumps(fields)}\n")
        sys.stdout.flush()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """The program, as its settings are now or as they were."""

    app: App
    problem: str = ""
    """Why the settings of now cannot be used."""
    config: str | None = None
    """The text of our own file, if it is certain that these settings come from it."""


def _load(order: Order) -> _Loaded:
    """Return the program as its settings are now; or as they were, if those of now cannot be used."""
    problem = order.refused
    if not problem:
        text = _own_file()
        try:
            app = load_app(order.token)
            return _Loaded(app=app, config=text if text == _own_file() else None)
        except SettingsError as error:
            if order.config is None:
                raise
            problem = f"the new settings are wrong, the former ones stay in use: {'; '.join(error.problems)}"
    if order.config is not None:
        os.environ["UPDATE_CHECK_CONFIG"] = f"/proc/self/fd/{order.config}"
    return _Loaded(app=load_app(order.token), problem=problem)


def _own_file() -> str | None:
    """Return the text of our own file."""
    with suppress(OSError, UnicodeDecodeError):
        return Path(os.environ.get("UPDATE_CHECK_CONFIG") or CONFIG_FILE).read_text(encoding="utf-8")
    return None


def _prepare(order: Order) -> None:
    """Make sure that settings, sinks and ledger can be used; report what the supervisor must know of them."""
    loaded = _load(order)
    app = loaded.app
    require_set_up(app.settings)
    with app.create_ledger() as ledger:
        for worker in app.delivery_workers(ledger):
            worker.load()
        _report(
            instance=app.settings.instance,
            ledger=app.settings.ledger,
            ledger_name=str(app.ledger_location),
            presence=presence_of(app.settings).path,
            sinks=app.settings.sink_names,
            log_level=app.settings.log_level,
            log_format=app.settings.log_format,
            seen=TreeWatch.begin(app.settings.mastodon_root).to_json(),
            **_plain(loaded, ledger),
        )


def _plain(loaded: _Loaded, ledger: Ledger) -> dict[str, object]:
    """Return what each job reports."""
    app = loaded.app
    settings = app.settings
    line = describe_line(ledger.state(), app.summary(ledger).undelivered, None, settings.off_reason)
    return {
        "interval": settings.interval.total_seconds(),
        "jitter": settings.jitter.total_seconds(),
        "off_reason": settings.off_reason,
        "config": loaded.config,
        "status": hide_secrets(line),
        "due_in": _due_in(app, ledger, app.delivery_workers(ledger)),
    }


def _due_in(app: App, ledger: Ledger, workers: Sequence[DeliveryWorker]) -> float | None:
    """Return in how many seconds the next message is due; None when none waits."""
    now = app.clock()
    due = [at for worker in workers if (at := worker.next_due_at(ledger, now)) is not None]
    return max((min(due) - now).total_seconds(), 0.0) if due else None


def _work(order: Order) -> None:
    """Answer what commands have asked of the owner, and check."""
    loaded = _load(order)
    app, problem = loaded.app, loaded.problem
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with app.create_ledger() as ledger:
            asked = answer_requests(ledger, app.clock())
            report: dict[str, Any] = {}
            if order.check or order.failure or asked:
                report = _check(app, ledger, order, problem, mark=any(request.arguments["mark"] for request in asked))
                with ledger.writing() as transaction:
                    for request in asked:
                        transaction.answer(request.id, report["result"])
            _report(settings_problem=problem, **report, **_plain(loaded, ledger))
    except SystemExit:  # a planned stop: what it cuts short has not failed
        app.heartbeat.stop()


def _check(app: App, ledger: Ledger, order: Order, problem: str, *, mark: bool) -> dict[str, Any]:
    before = ledger.state()
    report = app.run_check(ledger, CheckOptions(mark=mark, settings_problem=problem, failure=order.failure))
    app.finish_check(ledger, report)
    watch = TreeWatch.read(order.seen, app.settings.mastodon_root)
    seen = watch.see(report.knowledge, before)
    return {"result": CheckResult.of(report).to_json(), "seen": seen.to_json(), "is_blind": seen.is_blind}


def _deliver(order: Order) -> None:
    """Try what is due, each sink in a thread of its own, until nothing is."""
    loaded = _load(order)
    app = loaded.app
    with app.open_ledger() as ledger:
        ledger.close_open_attempts(app.clock(), has_crashed=order.has_crashed)
        run = _Deliveries(app, app.delivery_workers(ledger))
        run.until_nothing_is_due(ledger)
        app.publish(ledger)
        _report(problems=[hide_secrets(one) for one in run.problems()], **_plain(loaded, ledger))


class _Deliveries:
    """The threads of one delivering process."""

    def __init__(self, app: App, workers: Sequence[DeliveryWorker]) -> None:
        self._app = app
        self._workers = workers
        self._threads: dict[str, threading.Thread] = {}
        self._news = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        threading.Thread(target=self._listen, name="orders", daemon=True).start()

    def _stop(self) -> None:
        for worker in self._workers:
            worker.is_stopping = True
        self._news.set()

    def _listen(self) -> None:
        for _ in sys.stdin:
            self._news.set()

    def until_nothing_is_due(self, ledger: Ledger) -> None:
        """Begin threads for the sinks that have something due; return when none runs, or one is past its limit."""
        signed_at = 0.0
        while self._begin_due(ledger) or any(thread.is_alive() for thread in self._threads.values()):
            if time.monotonic() - signed_at > SIGN_SECONDS:
                signed_at = time.monotonic()
                _report()
            self._news.wait(1.0 if not self._has_just_ended() else 0.01)
            self._news.clear()
            late = [worker for worker in self._workers if worker.ends_at < time.monotonic()]
            if late:
                self._end_late(ledger, late)
                return

    def _has_just_ended(self) -> bool:
        return not all(thread.is_alive() for thread in self._threads.values())

    def _begin_due(self, ledger: Ledger) -> bool:
        now = self._app.clock()
        begun = False
        for worker in self._workers:
            thread = self._threads.get(worker.sink_name)
            if worker.is_stopping or worker.problem or (thread is not None and thread.is_alive()):
                continue
            due_at = worker.next_due_at(ledger, now)
            if due_at is not None and due_at <= now:
                self._begin(worker)
                begun = True
        return begun

    def _begin(self, worker: DeliveryWorker) -> None:
        def run() -> None:
            worker.run(self._app.clock)
            self._news.set()

        thread = threading.Thread(target=run, name=worker.sink_name, daemon=True)
        self._threads[worker.sink_name] = thread
        try:
            thread.start()
        except RuntimeError as error:  # the unit's TasksMax
            del self._threads[worker.sink_name]
            worker.problem = f"deliveries by {worker.sink_name} could not begin: {error}"
            log.error("delivery.crashed", sink=worker.sink_name, detail=worker.problem)

    def _end_late(self, ledger: Ledger, late: Sequence[DeliveryWorker]) -> None:
        """Record that attempts took too long, and let the other sinks finish theirs: only the process can be ended."""
        self._stop()
        for worker in late:
            attempt = worker.current
            if attempt is not None:
                now = self._app.clock()
                error = TransientDeliveryError("took longer than it may", sink_wide=True, may_have_arrived=True)
                settlement = settle_attempt(attempt, error, "", now)
                ledger.record(attempt, settlement, now)
                log_attempt(attempt, settlement)
        end = time.monotonic() + GRACE.total_seconds()
        others = [thread for name, thread in self._threads.items() if name not in {one.sink_name for one in late}]
        for thread in others:
            thread.join(max(end - time.monotonic(), 0))

    def problems(self) -> list[str]:
        """Return what kept sinks from delivering."""
        return [worker.problem for worker in self._workers if worker.problem]
