"""`ledger backup` and `ledger new`."""

import os
from argparse import Namespace
from pathlib import Path

from mastodon_update_check.app import App
from mastodon_update_check.commands.common import Exit, load_app
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.file import back_up, create_file, set_aside


def execute(arguments: Namespace) -> int:
    """Do what was asked with the ledger."""
    if arguments.action == "backup":
        return _back_up(arguments.file)
    return _begin_anew(load_app())


def _back_up(target: Path) -> int:
    if os.geteuid() == 0:
        from mastodon_update_check.commands.roots_backup import back_up_for_root, find_installed

        service = find_installed()
        if service is not None:
            return back_up_for_root(service, target)
    app = load_app()
    if app.ledger_path.exists() and not target.parent.is_dir():
        raise LedgerError(f"{target} cannot be written: {target.parent} is no directory that exists")
    back_up(app.ledger_path, target)
    print(f"The ledger is backed up to {target}.")
    return Exit.DONE


def _begin_anew(app: App) -> int:
    path = app.ledger_path
    aside = set_aside(path, app.clock())
    if aside is not None:
        print(f"The old ledger is kept as {aside}.")
    create_file(path)
    print(f"A new ledger is at {path}. It knows nothing of what was told: whatever is pending is told again.")
    return Exit.DONE
