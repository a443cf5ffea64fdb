"""`ledger backup` by root on an installed server: the service's user reads the ledger, root writes the file.

Neither can do the other's part: the service cannot write where root wants the backup, and root opens no database that
another user could have put there.
"""

import os
from pathlib import Path

from mastodon_update_check.cli.common import Exit
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.files.foreign import describe
from mastodon_update_check.host.service import Service, find_service, run_as_service
from mastodon_update_check.host.systemd import RUNNING


def find_installed() -> Service | None:
    """Return the service of this server; None where none is installed."""
    return find_service(os.environ) if RUNNING.is_dir() else None


def back_up_for_root(service: Service, target: Path) -> int:
    """Write a backup to `target`; return the exit code.

    Raises:
        LedgerError: `target` exists, or cannot be written.
    """
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LedgerError(f"{target} exists already: name a new file for the backup") from error
    except OSError as error:
        raise LedgerError(f"{target} cannot be written: {describe(error)}") from error
    code = int(Exit.FAILED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            code = run_as_service(service, ("ledger", "backup", "-"), os.environ, file)
            os.fsync(file.fileno())
    finally:
        if code != Exit.DONE:
            target.unlink(missing_ok=True)
    if code == Exit.DONE:
        print(f"The ledger is backed up to {target}.")
    return code
