"""The jobs of child processes: the code of the one-shot commands, then a report to the supervisor."""

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from mastodon_update_check.app import App
from mastodon_update_check.config.settings import CONFIG_FILE
from mastodon_update_check.daemon.children import die_with_parent, leave
from mastodon_update_check.domain.server.installed import has_lost_sight
from mastodon_update_check.domain.server.status import describe_line
from mastodon_update_check.domain.stored_json import to_json
from mastodon_update_check.domain.text import describe_bug
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.files.foreign import is_missing
from mastodon_update_check.jobs.check import CheckOptions
from mastodon_update_check.jobs.deliver import DeliveryWorker
from mastodon_update_check.jobs.known_instance import presence_of
from mastodon_update_check.jobs.requests import answer_requests
from mastodon_update_check.jobs.workers import Deliveries
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import hide_secrets, log
from mastodon_update_check.mastodon.tree import VERSION_FILE
from mastodon_update_check.startup import load_app, require_set_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The parameters of a job."""

    parent: int
    token: str = ""
    """Of the lease, where the ledger is in PostgreSQL."""
    check: bool = False
    """Check now, whether a command asks for it or not."""
    failure: str = ""
    """Why the check before could not be finished."""
    config: str | None = field(default=None, repr=False)
    """Our own file as it was when it could be used."""
    has_crashed: bool = False
    """Whether the delivering job before ended without a result."""
    refused: str = ""
    """Why a reload has failed: the settings from before it are used, without looking at the new ones."""
    bound_tree: str = ""
    """Mastodon's tree when the daemon started, if a mount point shows its version file: a unit that binds the file's
    directory keeps a tree that was replaced, so only a new process can see the new one."""


def main(name: str) -> NoReturn:
    """Run one job and end the process, even if a thread hangs."""
    order = Order(**json.load(sys.stdin))
    die_with_parent(order.parent)
    gc.enable()  # disabled for a quick start, see `cli.main`
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    code = 0
    try:
        {"prepare": _prepare, "work": _work, "deliver": _deliver, "publish": _publish}[name](order)
    except SettingsError as error:
        code = 78
        _report(settings_problems=error.problems)
    except LedgerError as error:
        code = 74
        _report(ledger_problem=str(error))
    except Exception as error:  # noqa: BLE001 - the log has a line, and the supervisor sees the exit code
        code = 70
        log.critical("job.crashed", job=name, detail=describe_bug(error))
    leave(code)


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
        descriptor = os.memfd_create("config.env")
        os.write(descriptor, order.config.encode())
        os.environ["UPDATE_CHECK_CONFIG"] = f"/proc/self/fd/{descriptor}"
    return _Loaded(app=load_app(order.token), problem=problem)


def _own_file() -> str | None:
    """Return the text of our own file."""
    with suppress(OSError, UnicodeDecodeError):
        return Path(os.environ.get("UPDATE_CHECK_CONFIG") or CONFIG_FILE).read_text(encoding="utf-8")
    return None


def _publish(order: Order) -> None:
    """Write the status page of a daemon that has stopped."""
    app = _load(order).app
    with app.open_ledger() as ledger:
        app.publish(ledger)


def _prepare(order: Order) -> None:
    """Verify that settings, sinks and ledger can be used, and report the supervisor's parameters."""
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
            bound_tree=_find_bound_tree(app.settings.mastodon_root),
            **_plain(loaded, ledger),
        )


def _find_bound_tree(root: Path) -> str:
    file = root / VERSION_FILE
    return str(root) if os.path.ismount(file.parent) and not is_missing(file) else ""


def _plain(loaded: _Loaded, ledger: Ledger) -> dict[str, object]:
    """Return what each job reports."""
    app = loaded.app
    settings = app.settings
    line = describe_line(ledger.state(), app.summary(ledger).undelivered, None, settings.off_reason)
    return {
        "interval": settings.interval.total_seconds(),
        "jitter": settings.jitter.total_seconds(),
        "off_reason": settings.off_reason,
        "has_page": settings.page_file is not None,
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
    """Answer requests of commands, and check."""
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
    except SystemExit:  # a planned stop is not a failure
        app.heartbeat.stop()


def _check(app: App, ledger: Ledger, order: Order, problem: str, *, mark: bool) -> dict[str, Any]:
    before = ledger.state()
    report = app.run_check(ledger, CheckOptions(mark=mark, settings_problem=problem, failure=order.failure))
    app.finish_check(ledger, report)
    root = app.settings.mastodon_root
    has_lost_tree = has_lost_sight(before, report.knowledge) or is_missing(root / VERSION_FILE)
    return {"result": to_json(report.result), "is_blind": order.bound_tree == str(root) and has_lost_tree}


def _deliver(order: Order) -> None:
    """Deliver the messages that are due, each sink in a thread of its own."""
    loaded = _load(order)
    app = loaded.app
    with app.open_ledger() as ledger:
        ledger.close_open_attempts(app.clock(), has_crashed=order.has_crashed)
        run = Deliveries(app.delivery_lanes(ledger), app.clock)
        signal.signal(signal.SIGTERM, lambda *_: run.stop())
        run.run(ledger, _report)
        app.publish(ledger)
        _report(problems=[hide_secrets(one) for one in run.problems], **_plain(loaded, ledger))
