"""`setup`: set this program up beside the Mastodon of this host, or undo that."""

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from mastodon_update_check.cli.output import Exit
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.install.dialogue import Options
from mastodon_update_check.install.session import SetupSession
from mastodon_update_check.mastodon.sql import read_sql


def execute(arguments: Namespace) -> int:
    """Set up; exit 1 unless everything worked."""
    if arguments.print_sql:
        sys.stdout.write(read_sql("install"))
        return Exit.DONE
    if os.geteuid() != 0:
        raise SetupError("setup needs root: run it with sudo, or in a root shell")
    options = Options(**{each.name: getattr(arguments, each.name) for each in fields(Options)})
    session = SetupSession(Machine(), options, _own_command())
    has_worked = session.undo() if arguments.undo else session.set_up()
    return Exit.DONE if has_worked else Exit.FAILED


def _own_command() -> Sequence[str]:
    program = Path(sys.argv[0]).resolve()
    if program.name == "__main__.py":
        return sys.executable, "-m", "mastodon_update_check"
    return (str(program),)
