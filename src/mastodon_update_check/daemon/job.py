"""The jobs of child processes: the code of the one-shot commands, then a report to the supervisor."""

import gc
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from mastodon_update_check.app import App
from mastodon_update_check.config.settings import CONFIG_FILE
from mastodon_update_check.daemon.children import die_with_parent, leave
from mastodon_update_check.domain.server.installed import has_lost_sight
from mastodon_update_check.domain.server.status import describe_line
from mastodon_update_check.domain.stored_json import to_json
from mastodon_update_check.domain.text import describe_bug
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.files import is_missing
from mastodon_update_check.jobs.check import CheckOptions
from mastodon_update_check.jobs.requests import answer_requests
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import hide_secrets, log
from mastodon_update_check.mastodon.tree import VERSION_FILE
from mastodon_update_check.sinks.discovery import load_sink
from mastodon_update_check.startup import load_app, require_set_up


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The parameters of a job."""

    parent: int
    token: str = ""
    """Of the lease, where the ledger is in PostgreSQL."""
    check: bool = False
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


class _Program(NamedTuple):
    """The program, as its settings are now or as they were."""

    app: App
    problem: str = ""
    """Why the settings of now cannot be used."""
    config: str | None = None
    """The text of our own file, if it is certain that these settings come from it."""


def main(name: str) -> NoReturn:
    """Run one job and end the process, even if a thread hangs."""
    order = Order(**json.load(sys.stdin))
    die_with_parent(order.parent)
    gc.enable()  # disabled for a quick start, see `cli.main`
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    code = 0
    try:
        _report(**{"prepare": _prepare, "work": _work, "deliver": _deliver}[name](order))
    except (SettingsError, LedgerError) as error:
        code = error.exit_code
        _report(problems=str(error).splitlines())
    except Exception as error:  # noqa: BLE001 - the log has a line, and the supervisor sees the exit code
        code = 70
        log.critical("job.crashed", job=name, detail=describe_bug(error))
    leave(code)


def _report(**fields: object) -> None:
    """Write one line to the supervisor, which may have ended."""
    with suppress(OSError):
        sys.stdout.write(f"{json.dumps(fields)}\n")
        sys.stdout.flush()


def _load(order: Order) -> _Program:
    """Return the program as its settings are now; or as they were, if those of now cannot be used."""
    problem = order.refused
    if not problem:
        text = _own_file()
        try:
            app = load_app(order.token)
            return _Program(app, config=text if text == _own_file() else None)
        except SettingsError as error:
            if order.config is None:
                raise
            problem = f"the new settings are wrong, the former ones stay in use: {'; '.join(error.problems)}"
    if order.config is not None:
        descriptor = os.memfd_create("config.env")
        os.write(descriptor, order.config.encode())
        os.environ["UPDATE_CHECK_CONFIG"] = f"/proc/self/fd/{descriptor}"
    return _Program(load_app(order.token), problem)


def _own_file() -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return Path(os.environ.get("UPDATE_CHECK_CONFIG") or CONFIG_FILE).read_text(encoding="utf-8")
    return None


def _prepare(order: Order) -> dict[str, Any]:
    """Verify that settings, sinks and ledger can be used, and report the supervisor's parameters."""
    program = _load(order)
    app, settings = program.app, program.app.settings
    require_set_up(settings)
    with app.create_ledger() as ledger:
        for sink in settings.sinks:
            load_sink(sink.plugin, sink.options)
        version_file = settings.mastodon_root / VERSION_FILE
        is_bound = os.path.ismount(version_file.parent) and not is_missing(version_file)
        return {
            "instance": settings.instance,
            "ledger": settings.ledger,
            "ledger_name": str(app.ledger_location),
            "presence": app.presence.path,
            "sinks": settings.sink_names,
            "log_level": settings.log_level,
            "log_format": settings.log_format,
            "bound_tree": str(settings.mastodon_root) if is_bound else "",
            **_describe(program, ledger),
        }


def _describe(program: _Program, ledger: Ledger) -> dict[str, Any]:
    app, settings = program.app, program.app.settings
    due_at = app.next_due_at(ledger)
    line = describe_line(ledger.state(), app.summary(ledger).undelivered, settings.off_reason)
    return {
        "interval": settings.interval.total_seconds(),
        "jitter": settings.jitter.total_seconds(),
        "off_reason": settings.off_reason,
        "config": program.config,
        "status": hide_secrets(line),
        "due_in": due_at and max((due_at - app.clock()).total_seconds(), 0.0),
    }


def _work(order: Order) -> dict[str, Any]:
    """Answer requests of commands, and check."""
    program = _load(order)
    app, problem = program.app, program.problem
    with app.create_ledger() as ledger:
        asked = answer_requests(ledger, app.clock())
        report: dict[str, Any] = {"settings_problem": problem}
        if order.check or order.failure or asked:
            before, root = ledger.state(), app.settings.mastodon_root
            mark = any(request.arguments["mark"] for request in asked)
            options = CheckOptions(mark=mark, settings_problem=problem, failure=order.failure)
            check = app.run_check(ledger, options)
            app.finish_check(ledger, check)
            has_lost_tree = has_lost_sight(before, check.known) or is_missing(root / VERSION_FILE)
            report["is_blind"] = order.bound_tree == str(root) and has_lost_tree
            with ledger.writing() as transaction:
                for request in asked:
                    transaction.answer(request.id, to_json(check.result))
        return report | _describe(program, ledger)


def _deliver(order: Order) -> dict[str, Any]:
    program = _load(order)
    app = program.app
    with app.open_ledger() as ledger:
        ledger.close_open_attempts(app.clock(), has_crashed=order.has_crashed)
        run = app.deliveries(ledger)
        signal.signal(signal.SIGTERM, lambda *_: run.stop())
        run.run(ledger, _report)
        app.publish(ledger)
        return {"failures": [hide_secrets(one) for one in run.problems], **_describe(program, ledger)}
