"""Starting the daemon: signals first, then a child that prepares everything, then the supervisor."""

from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check import logs
from mastodon_update_check.daemon.children import ChildProcess, leave
from mastodon_update_check.daemon.limits import CHECK_LIMIT, RESTART
from mastodon_update_check.daemon.signals import SignalEvent, take_signals
from mastodon_update_check.daemon.supervisor import Supervisor
from mastodon_update_check.daemon.systemd import SystemdNotifier
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.logs import log


def run() -> NoReturn:
    """Run the daemon. Raises `SettingsError` or `LedgerError` when it cannot start."""
    events: SimpleQueue[object] = SimpleQueue()
    notifier = SystemdNotifier()
    take_signals(events.put)
    try:
        supervisor = Supervisor(_prepare(events), events, notifier)
    except (SettingsError, LedgerError) as error:
        notifier.status(str(error))
        raise
    try:
        supervisor.run()
    except Exception as error:  # noqa: BLE001 - said in one line; the threads must not outlive the one that leads them
        log.critical("daemon.crashed", detail=f"{type(error).__name__}: {error}")
        leave(70)


def _prepare(events: "SimpleQueue[object]") -> Mapping[str, Any]:
    """Have a child read the settings and open the ledger; return its report."""
    child = ChildProcess("prepare", {}, CHECK_LIMIT, events.put)
    early = []
    while (event := events.get()) is not child:
        if event is SignalEvent.STOP:
            leave(0)
        early.append(event)
    for event in early:
        events.put(event)
    report = child.result
    if report is None:
        ending = child.report or {}
        if "settings_problems" in ending:
            raise SettingsError(ending["settings_problems"])
        if "ledger_problem" in ending:
            raise LedgerError(ending["ledger_problem"])
        log.critical("daemon.not_prepared", detail=child.explain_end())
        leave(RESTART)
    logs.configure(report["log_level"], report["log_format"])
    return report
