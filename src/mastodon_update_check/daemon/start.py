"""Start the daemon: signals first, then a child that prepares everything, then the supervisor."""

from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check import logs
from mastodon_update_check.daemon.children import ChildProcess, leave
from mastodon_update_check.daemon.signals import take_signals
from mastodon_update_check.daemon.supervisor import CHECK_LIMIT, RESTART, Supervisor
from mastodon_update_check.daemon.systemd import SystemdNotifier
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.logs import log


def run() -> NoReturn:
    """Run the daemon. Raises `SettingsError` or `LedgerError` when it cannot start."""
    events: SimpleQueue[object] = SimpleQueue()
    notifier = SystemdNotifier()
    take_signals(events.put)
    try:
        supervisor = Supervisor(_prepare(), events, notifier)
    except (SettingsError, LedgerError) as error:
        notifier.status(str(error))
        raise
    try:
        supervisor.run()
    except Exception as error:  # noqa: BLE001 - said in one line; the threads must not outlive the one that leads them
        log.critical("daemon.crashed", detail=f"{type(error).__name__}: {error}")
        leave(70)


def _prepare() -> Mapping[str, Any]:
    """Have a child read the settings and open the ledger; return its report. Signals are followed after it."""
    ended: SimpleQueue[ChildProcess] = SimpleQueue()
    child = ChildProcess("prepare", {}, CHECK_LIMIT, ended.put)
    ended.get()
    if child.result is None:
        if child.error is not None:
            raise child.error
        log.critical("daemon.not_prepared", detail=child.explain_end())
        leave(RESTART)
    logs.configure(child.result["log_level"], child.result["log_format"])
    return child.result
