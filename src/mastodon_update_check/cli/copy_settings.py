"""`copy-settings`: what the unit lets root do before it starts, and at a reload; see `setup.copying`."""

import os
import sys
from argparse import Namespace

from mastodon_update_check.cli.common import Exit
from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.mounts import leave_view
from mastodon_update_check.host.names import NAME, RESERVED
from mastodon_update_check.install.copying import CopyReport, copy_settings


def execute(arguments: Namespace) -> int:
    """Copy; whatever comes of it is said and keeps the service from nothing."""
    if arguments.name and (not NAME.fullmatch(arguments.name) or arguments.name in RESERVED):
        sys.stderr.write("mastodon-update-check: setup gives no server such a name\n")
        return Exit.USAGE
    machine = Machine()
    try:
        leave_view()
        report = copy_settings(machine, machine.place(arguments.name))
    except OSError as error:
        report = CopyReport(sentence=f"Mastodon's settings cannot be copied: {clean(str(error))}", is_trouble=True)
    # systemd takes the number for the line's priority, and away (sd-daemon(3)).
    mark = f"<{4 if report.is_trouble else 6}>" if "JOURNAL_STREAM" in os.environ else ""
    sys.stderr.write(f"{mark}mastodon-update-check: {report.sentence}\n")
    return Exit.DONE
