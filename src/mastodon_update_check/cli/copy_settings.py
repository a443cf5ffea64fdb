"""`copy-settings`: run as root by the unit before it starts, and at a reload; see `install.copying`."""

import os
import sys
from argparse import Namespace

from mastodon_update_check.cli.common import Exit
from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.install.copying import CopyReport, copy_settings


def execute(arguments: Namespace) -> int:
    """Copy, and log the result; a failure does not keep the service from starting."""
    machine = Machine()
    place = machine.place(arguments.name)
    try:
        report = copy_settings(machine, place)
    except OSError as error:
        report = CopyReport(sentence=f"Mastodon's settings cannot be copied: {clean(str(error))}", is_problem=True)
    # systemd takes the number as the line's priority, and removes it (sd-daemon(3)).
    mark = f"<{4 if report.is_problem else 6}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{mark}mastodon-update-check: {report.sentence}\n")
    return Exit.DONE
