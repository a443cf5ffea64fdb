"""The steps of `setup` as values: they are shown before they are taken, and recorded for `setup --undo`."""

from dataclasses import dataclass, field
from pathlib import Path

from mastodon_update_check.install.found import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole:
    """Create the PostgreSQL role and its functions, or bring them up to date."""

    server: Server

    def __str__(self) -> str:
        return (
            f"create the PostgreSQL role _mastodon_update_check in {self.server.name} (port {self.server.port}); "
            "it can only list the staff"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRole:
    """Remove the functions, and the role unless another database uses it."""

    server: Server

    def __str__(self) -> str:
        return f"remove the PostgreSQL role and its functions from {self.server.name} (port {self.server.port})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a file of this program's."""

    path: Path
    content: str = field(repr=False)
    purpose: str
    """What the plan says instead, for one or several files."""
    added: tuple[str, ...] = ()
    """The lines that a dry run shows; no secrets."""
    is_secret: bool = False
    """Whether only root and the service's group may read it."""

    def __str__(self) -> str:
        return f"write {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Remove a file of this program's, and its directory when that is empty."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """Copy the needed lines of Mastodon's settings."""

    sources: tuple[Path, ...]
    target: Path

    def __str__(self) -> str:
        return f"copy the needed lines of {' and '.join(map(str, self.sources))} to {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemctl:
    """Run systemctl."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"systemctl {' '.join(self.words)}"


Step = CreateRole | DropRole | WriteFile | RemoveFile | CopySettings | Systemctl
