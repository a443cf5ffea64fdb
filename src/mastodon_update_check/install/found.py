"""What `setup` finds on a host, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the service gets to see the tree's version."""

    is_readable: bool
    group: str = ""
    """The group that it needs for that; empty: anybody may read it."""
    hidden: tuple[Path, ...] = ()
    """Directories to hide, because nobody may pass through them, or because the service has no business there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """A file that a unit of Mastodon's names by `EnvironmentFile=`."""

    path: Path
    is_optional: bool = False
    """Whether it may be missing."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What is needed of it; secrets may be among it."""
    trouble: str = ""
    """Why it could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUnit:
    """A unit that is called like that of Mastodon's web server."""

    name: str = ""
    root: Path
    """The directory that it runs in."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    environment_files: tuple[EnvironmentFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Mastodon on this host."""

    root: Path
    unit: str = ""
    """The unit of its web server; empty if none is known."""
    owner: str = ""
    """The user whom the tree belongs to."""
    access: Access = Access(is_readable=True)
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What is needed of its file of settings; secrets may be among it."""
    unit_environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What is needed of its unit's environment, which for Mastodon goes before the file."""
    environment_files: tuple[EnvironmentFile, ...] = ()
    """The files that its unit names besides, in their order; they go before both."""
    trouble: str = ""
    """Why its file could not be read."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Return its settings, as Mastodon has them."""
        return {**self.settings, **self.unit_environment, **self.file_environment}

    @property
    def file_environment(self) -> Mapping[str, str]:
        """Return what is needed of the files that its unit names."""
        return {name: text for file in self.environment_files for name, text in file.variables.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseName:
    """Where Mastodon says that its database is."""

    host: str
    port: int
    name: str
    user: str = ""
    """Whom Mastodon logs in as; empty if that is not said, or means something else to anybody."""

    @property
    def is_local(self) -> bool:
        """Whether it is a server on this host, which lets its superuser in over a socket."""
        return self.host in {"", "localhost", "127.0.0.1", "::1"} or self.host.startswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database of Mastodon's that user postgres gets into over the socket."""

    directory: str
    port: int
    name: str

    @property
    def login(self) -> str:
        """The libpq connection string of the service."""
        return f"host={self.directory} port={self.port} dbname={self.name} user=_mastodon_update_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that is decided upon."""

    installation: Installation
    server: Server | None
    no_server: str
    """Why there is none to make the role in; empty when there is one."""
    config: str
    """The text of our own file."""
    drop_ins: Mapping[Path, str]
    """The files that may be added to the units, with what is in them; empty if they are not there."""
