"""The host as `setup` sees it: where its files lie and how its programs are run. Tests give it a root of their own."""

import os
import pwd
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.host.names import SERVICE_USER, Place
from mastodon_update_check.host.programs import Run, run_program


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the host."""

    name: str
    uid: int
    gid: int


def find_account(user: str | int) -> Account | None:
    """Return a user by name or number; None if there is none."""
    try:
        entry = pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        return None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One host."""

    prefix: Path = Path("/")
    run: Run = run_program
    find_account: Callable[[str | int], Account | None] = find_account
    root_uid: int = 0

    def place(self, name: str = "") -> Place:
        """Return the places of one service here."""
        return Place(name=name, prefix=self.prefix)

    def real(self, path: Path) -> Path:
        """Return where a path of the host lies."""
        return self.prefix / path.relative_to("/")

    @property
    def service_account(self) -> Account | None:
        """The user of the service; None until the package is installed."""
        return self.find_account(SERVICE_USER)

    def require_own_directory(self, path: Path, mode: int, group: int) -> None:
        """Create a directory that only root can write to, unless it exists.

        Raises:
            OSError: it exists, and another user can write to it, or it is not a directory.
        """
        with suppress(FileExistsError):
            path.mkdir(mode=0o700, parents=True)
            os.chown(path, -1, group)
            path.chmod(mode)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != self.root_uid or status.st_mode & 0o022:
            raise PermissionError(f"{path} is not a directory that only root can write to")
