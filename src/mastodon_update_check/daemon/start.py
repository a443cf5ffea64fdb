"""Start the daemon: signals first, then a child that prepares everything, then the supervisor.

Signals are blocked from the first moment of the process (see `cli.main`), and taken by a thread of their own: none
interrupts anything, and none is lost while the program starts.
"""

import os
import signal
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Any, NoReturn

from mastodon_update_check import logs
from mastodon_update_check.daemon.children import ChildProcess, leave
from mastodon_update_check.daemon.supervisor import CHECK_LIMIT, RESTART, Supervisor
from mastodon_update_check.daemon.systemd import SystemdNotifier
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.logs import log

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
SIGNALS = (*STOP_SIGNALS, signal.SIGHUP, signal.SIGUSR1)
SIGNAL_SECONDS = 0.5
"""How long a signal may take to be noticed."""
STOP_LIMIT = timedelta(seconds=9.5)
"""How long after the first signal to stop the process ends in any case; its children end with it."""


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
    """Have a child read the settings and open the ledger; return its report. A signal to stop ends the process."""
    child = ChildProcess("prepare", {}, CHECK_LIMIT, events.put)
    early = []
    while (event := events.get()) is not child:
        _leave_if_asked(event)
        early.append(event)
    if child.result is None:
        if child.error is not None:
            raise child.error
        with suppress(Empty):  # one for all processes of the group may have ended the child first
            _leave_if_asked(events.get(timeout=SIGNAL_SECONDS))
        log.critical("daemon.not_prepared", detail=child.explain_end())
        leave(RESTART)
    for event in early:
        events.put(event)
    logs.configure(child.result["log_level"], child.result["log_format"])
    return child.result


def _leave_if_asked(event: object) -> None:
    if event in STOP_SIGNALS:
        leave(0)


def take_signals(post: Callable[[signal.Signals], None], limit: timedelta = STOP_LIMIT) -> None:
    """Post each signal from now on, which must be blocked in every thread; end the process even if that hangs."""

    def take() -> None:
        while (number := signal.Signals(signal.sigwait(SIGNALS))) not in STOP_SIGNALS:
            post(number)
        post(number)
        # Asking twice means not wanting to wait.
        signal.sigtimedwait(STOP_SIGNALS, limit.total_seconds())
        os._exit(0)

    threading.Thread(target=take, name="signals", daemon=True).start()
