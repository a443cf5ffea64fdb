"""`setup` and `copy-settings`: what root does for this program beside the Mastodon of this host, or undoes."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mastodon_update_check.cli.output import Exit
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.install.copying import CopyReport, copy_settings
from mastodon_update_check.mastodon.sql import read_sql


def execute(arguments: Namespace) -> int:
    """Set up; exit 1 unless everything worked."""
    if arguments.command == "copy-settings":
        return _copy_settings(arguments.name)
    if arguments.print_sql:
        sys.stdout.write(read_sql("install"))
        return Exit.DONE
    from mastodon_update_check.install.session import SetupSession  # not for `copy-settings`, which starts each service

    if os.geteuid() != 0:
        raise SetupError("setup needs root: run it with sudo, or in a root shell")
    session = SetupSession(Machine(), arguments, _own_command())
    has_worked = session.undo() if arguments.undo else session.set_up()
    return Exit.DONE if has_worked else Exit.FAILED


def _own_command() -> Sequence[str]:
    program = Path(sys.argv[0]).resolve()
    if program.name == "__main__.py":
        return sys.executable, "-m", "mastodon_update_check"
    return (str(program),)


def _copy_settings(name: str) -> int:
    """Copy Mastodon's settings for the unit; a failure is logged and does not keep the service from starting."""
    machine = Machine()
    try:
        report = copy_settings(machine, machine.place(name))
    except OSError as error:
        report = CopyReport(sentence=f"Mastodon's settings cannot be copied: {clean(str(error))}", is_problem=True)
    # systemd takes the number as the line's priority, and removes it (sd-daemon(3)).
    mark = f"<{4 if report.is_problem else 6}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{mark}mastodon-update-check: {report.sentence}\n")
    return Exit.DONE
