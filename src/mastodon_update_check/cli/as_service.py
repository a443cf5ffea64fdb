"""Commands that root runs on an installed server: they act as the service.

Of a backup, the service reads the ledger and root writes the file. Neither can do both: the service cannot write where
root wants the backup, and root opens no database that another user could have put there.
"""

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mastodon_update_check.cli.output import Exit
from mastodon_update_check.errors import LedgerError, SetupError
from mastodon_update_check.files import describe
from mastodon_update_check.host.service import Service, find_service, run_as_service
from mastodon_update_check.terminal import complain


def execute_as_service(parsed: Namespace, arguments: Sequence[str]) -> int | None:
    """Run a command in the service's sandbox; return its exit code, or None where no service is installed."""
    service = find_service(os.environ)
    if service is None:
        return None
    if not service.is_set_up:
        raise SetupError("setup has not been run: run `mastodon-update-check setup` as root")
    if getattr(parsed, "action", "") == "backup" and parsed.file != Path("-"):
        return _back_up(service, parsed.file)
    if parsed.command == "doctor":
        from mastodon_update_check.host.machine import Machine
        from mastodon_update_check.install.copying import differs_from_copy

        if differs_from_copy(Machine(), service.place):
            reload = f"`systemctl reload {service.place.unit}`"
            complain(f"Mastodon's settings have changed since the service read them: run {reload}, then doctor again")
    return run_as_service(service, arguments, os.environ)


def _back_up(service: Service, target: Path) -> int:
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
