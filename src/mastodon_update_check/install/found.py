"""The findings of `setup` on a host, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the service can read the tree's version."""

    is_readable: bool
    group: str = ""
    """The group that it needs for that; empty when every user may read it."""
    hidden: tuple[Path, ...] = ()
    """Directories to hide: others may not pass through them, or the service does not need them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFile:
    """A file that a unit of Mastodon's names by `EnvironmentFile=`."""

    path: Path
    is_optional: bool = False
    """Whether it may be missing."""
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Its needed variables, possibly with secrets."""
    problem: str = ""
    """Why it could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUnit:
    """A unit whose name looks like that of Mastodon's web server."""

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
    """The user who owns the tree."""
    access: Access = Access(is_readable=True)
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The needed variables of its files of settings, possibly with secrets."""
    files: tuple[Path, ...] = ()
    """Those of its files of settings that were read, the one with precedence first."""
    unit_environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """The needed variables of its unit's environment, which has precedence over the files of settings."""
    environment_files: tuple[EnvironmentFile, ...] = ()
    """The files that its unit names, in their order; they have precedence over both."""
    problems: tuple[str, ...] = ()
    """Why files of settings could not be read, each with its path."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Return its settings, as Mastodon sees them."""
        return {**self.settings, **self.unit_environment, **self.file_environment}

    @property
    def file_environment(self) -> Mapping[str, str]:
        """Return the needed variables of the files that its unit names."""
        return {name: text for file in self.environment_files for name, text in file.variables.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseName:
    """The database that Mastodon's settings name."""

    host: str
    port: int
    name: str
    user: str = ""
    """Mastodon's role; empty when it is not set, or has characters with another meaning somewhere."""

    @property
    def is_local(self) -> bool:
        """Whether it is a server on this host, where user postgres logs in over a socket."""
        return self.host in {"", "localhost", "127.0.0.1", "::1"} or self.host.startswith("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A database of Mastodon's to which user postgres can connect over the socket."""

    directory: str
    port: int
    name: str

    @property
    def login(self) -> str:
        """The libpq connection string of the service."""
        return f"host={self.directory} port={self.port} dbname={self.name} user=_mastodon_update_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts that the plan depends on."""

    installation: Installation
    server: Server | None
    no_server: str
    """Why there is no server to create the role in; empty when there is one."""
    config: str
    """The text of our own file."""
    drop_ins: Mapping[Path, str]
    """The content of the files that `setup` adds to units; empty where there is none yet."""
    former_server: Server | None = None
    """The server of the last setup, when Mastodon's settings still name its database."""
    release_details: str = ""
    """The administrator's answer about release details: `github`, or nothing."""
