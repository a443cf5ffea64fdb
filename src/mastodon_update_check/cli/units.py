"""The commands that systemd's units run: `run`, `check-settings` and `copy-settings`."""

import os
import sys
from argparse import Namespace


def execute(arguments: Namespace) -> int:
    """Run the daemon until it is stopped, or run one of the commands that precede it."""
    if arguments.command == "copy-settings":
        _copy_settings(arguments.name)
    elif arguments.command == "check-settings":
        from mastodon_update_check.config import load_settings

        load_settings(os.environ)
    else:
        from mastodon_update_check.daemon.start import run

        run()
    return 0


def _copy_settings(name: str) -> None:
    """Copy Mastodon's settings, as root; a failure is logged and does not keep the service from starting."""
    from mastodon_update_check.domain.text import clean
    from mastodon_update_check.host.machine import Machine
    from mastodon_update_check.install.copying import CopyReport, copy_settings

    machine = Machine()
    place = machine.place(name)
    try:
        report = copy_settings(machine, place)
    except OSError as error:
        report = CopyReport(sentence=f"Mastodon's settings cannot be copied: {clean(str(error))}", is_problem=True)
    # systemd takes the number as the line's priority, and removes it (sd-daemon(3)).
    mark = f"<{4 if report.is_problem else 6}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{mark}mastodon-update-check: {report.sentence}\n")
