"""`ledger backup`, `ledger copy` and `ledger new`."""

import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit
from mastodon_update_check.domain.text import count
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import back_up, copy, owned
from mastodon_update_check.ledger.location import Location, find_location
from mastodon_update_check.terminal import progress, say


def execute(app: App, arguments: Namespace) -> int:
    """Run the action on the ledger."""
    location = app.ledger_location
    match arguments.action:
        case "backup":
            _back_up(location, arguments.file)
        case "copy":
            old, new = find_location(arguments.source, "FROM"), find_location(arguments.target, "TO")
            if not old.exists():
                raise LedgerError(f"there is no ledger {old} to copy: UPDATE_CHECK_LEDGER is {location}")
            with progress("Copying"):
                messages = count(copy(old, new), "message")
            say(f"The ledger {old} is copied to {new}: {messages}, with the record of every notice.")
            say(f"Before you start the daemon again, name the copy in UPDATE_CHECK_LEDGER. {old} is unchanged.")
        case _:
            if location.exists():
                with owned(location):
                    aside = location.set_aside(app.clock())
                say(f"The old ledger is kept as {aside}.")
            location.create()
            say(f"A new ledger is at {location}. It does not know what was sent: everything pending is sent again.")
    return Exit.DONE


def _back_up(location: Location, target: Path) -> None:
    """Write a backup to a new file, or to standard output for `-`."""
    if not location.exists():
        raise LedgerError(f"there is no ledger {location} yet: the first check creates it")
    if target != Path("-"):
        if not target.parent.is_dir():
            raise LedgerError(f"{target} cannot be written: {target.parent} is not an existing directory")
        with progress("Copying"):
            back_up(location, target)
        say(f"The ledger is backed up to {target}.")
        return
    with tempfile.TemporaryDirectory() as directory:  # only this user can read it
        draft = Path(directory, "backup")
        back_up(location, draft)
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
