"""`ledger backup` by root on an installed server: the service's user reads the ledger, root writes the file.

Neither may do the other's part: the service cannot write where root wants the backup, and root opens no database that
another user could have put there.
"""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from mastodon_update_check.cli.common import Exit, load_app
from mastodon_update_check.config.reading import why
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.host.become import Service, become, find_service

_PIECE_BYTES = 1 << 20


def find_installed() -> Service | None:
    """Return the service of this server; None where none is installed."""
    return find_service(os.environ) if Path("/run/systemd/system").is_dir() else None


def back_up_for_root(service: Service, target: Path) -> int:
    """Write a backup to `target`; return the exit code.

    Raises:
        LedgerError: `target` exists, or cannot be written; in the service's process, the ledger cannot be used.
    """
    draft = _create(target)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.close(draft)
        become(service, os.environ)
        return _hand_over(writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as source, os.fdopen(draft, "wb") as file:
            while piece := source.read(_PIECE_BYTES):
                file.write(piece)
            file.flush()
            os.fsync(draft)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if code != Exit.DONE:
        target.unlink(missing_ok=True)
        return code
    print(f"The ledger is backed up to {target}.")
    return Exit.DONE


def _create(target: Path) -> int:
    try:
        return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise LedgerError(f"{target} exists already: name a new file for the backup") from error
    except OSError as error:
        raise LedgerError(f"{target} cannot be written: {clean(why(error))}") from error


def _hand_over(writing: int) -> int:
    """Make the backup in a directory that only the service's user can read, and give its bytes to root."""
    app = load_app()
    with tempfile.TemporaryDirectory() as directory:
        draft = Path(directory, "backup")
        app.ledger_place.back_up(draft)
        with os.fdopen(writing, "wb") as sink, draft.open("rb") as file, suppress(BrokenPipeError):
            while piece := file.read(_PIECE_BYTES):
                sink.write(piece)
    return Exit.DONE
