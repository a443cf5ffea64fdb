"""This program's places on a server, and the host as `setup` sees it. Tests give a host a root of their own."""

import pwd
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from mastodon_update_check.errors import UsageError
from mastodon_update_check.host.programs import Run, run_program

_SERVICE_USER: Final = "_mastodon_update_check"
"""The system user, its group, and the PostgreSQL role that logs in as it."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?")
_RESERVED: Final = frozenset({"config", "mastodon"})
"""Names that would be files of the first server."""
_UNIT: Final = "mastodon-update-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The units and files of one service on this host."""

    name: str
    prefix: Path
    config_file: Path
    mastodon_copy: Path
    """The needed lines of Mastodon's files of settings."""
    tree: Path
    """Where the unit finds the directories of Mastodon's tree; only root passes through the directory above."""
    unit: str
    once_unit: str
    """The unit that a timer starts; only the first service has one."""
    path_unit: str
    """The unit that watches Mastodon's files of settings."""

    @classmethod
    def of(cls, name: str = "", prefix: Path = Path("/")) -> Self:
        """Return the place of one service; all paths lie under `prefix`, which only tests change."""
        copies = prefix / "run/mastodon-update-check"
        at = f"@{name}" if name else ""
        return cls(
            name=name,
            prefix=prefix,
            config_file=prefix / f"etc/mastodon-update-check/{name or 'config'}.env",
            mastodon_copy=copies / f"{name or 'mastodon'}.env",
            tree=copies / "trees" / (name or "mastodon"),
            unit=f"{_UNIT}{at}.service",
            once_unit="" if name else f"{_UNIT}-once.service",
            path_unit=f"{_UNIT}-settings{at}.path",
        )

    @property
    def drop_ins(self) -> tuple[Path, ...]:
        """The files that `setup` adds to units."""
        return tuple(map(self.drop_in, filter(None, (self.unit, self.once_unit, self.path_unit))))

    def drop_in(self, unit: str) -> Path:
        """Return the file that `setup` adds to a unit."""
        return self.prefix / f"etc/systemd/system/{unit}.d/50-setup.conf"


def find_place(config_file: Path, prefix: Path = Path("/")) -> Place | None:
    """Return the service whose settings are in `config_file`; None if that is not where they are."""
    name = "" if config_file.name == "config.env" else config_file.stem
    place = Place.of(name, prefix)
    return place if config_file == place.config_file and (not name or _NAME.fullmatch(name)) else None


def find_account(user: str | int) -> pwd.struct_passwd | None:
    """Return a user by name or number; None if there is none."""
    try:
        return pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    except (KeyError, OverflowError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One host."""

    prefix: Path = Path("/")
    run: Run = run_program
    find_account: Callable[[str | int], pwd.struct_passwd | None] = find_account
    root_uid: int = 0

    def place(self, name: str = "") -> Place:
        """Return the places of one service here; raise `UsageError` if a server cannot have this name."""
        if name and (not _NAME.fullmatch(name) or name in _RESERVED):
            raise UsageError("expected a name of small letters, digits, _ and -, and neither config nor mastodon")
        return Place.of(name, self.prefix)

    def real(self, path: Path) -> Path:
        """Return where a path of the host lies."""
        return self.prefix / path.relative_to("/")

    @property
    def service_gid(self) -> int | None:
        """The group of the service's user; None until the package is installed."""
        account = self.find_account(_SERVICE_USER)
        return account and account.pw_gid

    def require_own_directory(self, path: Path, mode: int = 0o755) -> None:
        """Create a directory that only root can write to, unless it exists; `OSError` if others can write to it."""
        with suppress(FileExistsError):
            path.mkdir(mode=0o700, parents=True)
            path.chmod(mode)
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != self.root_uid or status.st_mode & 0o022:
            raise PermissionError(f"{path} is not a directory that only root can write to")
