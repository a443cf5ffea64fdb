"""`ledger backup`, `ledger copy` and `ledger new`."""

import os
import shutil
import sys
import tempfile
from argparse import Namespace
from pathlib import Path

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.copying import owned
from mastodon_update_check.ledger.location import find_location


def execute(arguments: Namespace) -> int:
    """Do what was asked with the ledger."""
    if arguments.action == "backup":
        return _back_up(arguments.file)
    if arguments.action == "copy":
        return _copy(load_app(), arguments.source, arguments.target)
    return _begin_anew(load_app())


def _back_up(target: Path) -> int:
    if target == Path("-"):
        return _back_up_to_output(load_app())
    if os.geteuid() == 0:
        from mastodon_update_check.cli.backup_as_root import back_up_for_root, find_installed

        service = find_installed()
        if service is not None:
            return back_up_for_root(service, target)
    app = load_app()
    if not app.ledger_location.exists():
        raise LedgerError(f"there is no ledger {app.ledger_location} yet: the first check makes it")
    if not target.parent.is_dir():
        raise LedgerError(f"{target} cannot be written: {target.parent} is no directory that exists")
    app.ledger_location.back_up(target)
    print(f"The ledger is backed up to {target}.")
    return Exit.DONE


def _back_up_to_output(app: App) -> int:
    """Write the backup to standard output; the draft is in a directory that only this user can read."""
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory, "backup")
        app.ledger_location.back_up(draft)
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.flush()
    return Exit.DONE


def _copy(app: App, source: str, target: str) -> int:
    from mastodon_update_check.ledger.copying import copy

    places = find_location(source, "FROM"), find_location(target, "TO")
    if not places[0].exists():
        raise LedgerError(f"there is no ledger {places[0]} to copy: UPDATE_CHECK_LEDGER is {app.ledger_location}")
    messages = copy(*places)
    print(f"The ledger {places[0]} is copied to {places[1]}: {count(messages, 'message')}, and all that was told.")
    print(f"Name the copy in UPDATE_CHECK_LEDGER before the daemon is started again; {places[0]} is as it was.")
    return Exit.DONE


def _begin_anew(app: App) -> int:
    place = app.ledger_location
    if place.exists():
        with owned(place):
            aside = place.set_aside(app.clock())
        print(f"The old ledger is kept as {aside}.")
    place.create()
    print(f"A new ledger is at {place}. It knows nothing of what was told: whatever is pending is told again.")
    return Exit.DONE
