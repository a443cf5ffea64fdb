"""What `setup` does, as values: they are shown before they are done, and tell afterwards what there is to undo."""

from dataclasses import dataclass, field
from pathlib import Path

from mastodon_update_check.install.found import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeRole:
    """Make the PostgreSQL role and the function, or bring them up to date."""

    server: Server

    def __str__(self) -> str:
        return (
            f"PostgreSQL, database {self.server.name} (port {self.server.port}): make the role _mastodon_update_check, "
            "or bring it up to date\n"
            "    It has no password: the system user of that name logs in. It can ask who the staff are, no more.\n"
            "    Done as user postgres; `mastodon-update-check setup --print-sql` shows how."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DropRole:
    """Remove the function, and the role unless another database uses it."""

    server: Server

    def __str__(self) -> str:
        return f"PostgreSQL, database {self.server.name} (port {self.server.port}): remove the role and its function"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a file of ours."""

    path: Path
    content: str = field(repr=False)
    purpose: str
    """What it is for."""
    added: tuple[str, ...] = ()
    """What is shown of it; no secrets."""
    is_secret: bool = False
    """Whether only root and the service's group may read it; otherwise everybody may."""

    def __str__(self) -> str:
        return "\n".join((f"write {self.path}", f"    {self.purpose}", *(f"    {line}" for line in self.added)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Remove a file of ours, and its directory if nothing else is in it."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySettings:
    """Copy what is needed of Mastodon's settings."""

    sources: tuple[Path, ...]
    target: Path

    def __str__(self) -> str:
        return f"copy the lines that are needed of {' and '.join(map(str, self.sources))} to {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Systemctl:
    """Tell systemd something."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"systemctl {' '.join(self.words)}"


Step = MakeRole | DropRole | WriteFile | RemoveFile | CopySettings | Systemctl
