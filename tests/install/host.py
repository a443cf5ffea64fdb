"""A host to set up: a root directory of its own, systemd's answers, a real PostgreSQL behind `runuser` and `psql`."""

import io
import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatch
from pathlib import Path

import pytest

from mastodon_update_check.cli.parser import build_parser
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.programs import ENVIRONMENT, LIMIT, Finished
from mastodon_update_check.install.session import SetupSession
from simulators.mastodon_tree import flags, write_tree
from simulators.postgres import Postgres

ROOT = Path("/home/mastodon/live")
PROGRAM = "/usr/bin/mastodon-update-check"
UNIT = "mastodon-update-check.service"
DROP_IN = f"etc/systemd/system/{UNIT}.d/50-setup.conf"
WATCH = "etc/systemd/system/mastodon-update-check-settings.path.d/50-setup.conf"
CONFIG = "etc/mastodon-update-check/config.env"
COPY = "run/mastodon-update-check/mastodon.env"
ENV = "LOCAL_DOMAIN=social.example\nSMTP_SERVER=localhost\nSECRET_KEY_BASE=of-mastodon\nDB_PASS=of-the-database\n"
LOADED = "LoadState=loaded\nUser=_mastodon_update_check\n"


@dataclass
class Host:
    """One host; it remembers every program that was run on it."""

    prefix: Path
    postgres: Postgres | None = None
    units: dict[str, str] = field(default_factory=lambda: {UNIT: LOADED, "mastodon-update-check-once.service": LOADED})
    """The output of `systemctl show` for each unit."""
    answers: dict[str, Finished] = field(default_factory=dict)
    """The results of programs, by words of their command line; the first that fits counts."""
    ran: list[str] = field(default_factory=list)
    enabled: set[str] = field(default_factory=set)
    """The units that are enabled."""
    has_superuser: bool = True
    pending: str = '{"updates": [{"version": "4.5.20", "urgent": true}], "planned": 1}'
    recipients: str = '{"recipients": [{"sink": "email", "name": "alice", "address": "a@a.example"}], "error": null}'

    def __post_init__(self) -> None:
        for directory in ("etc/systemd/system", "run", "home", "var/www"):
            (self.prefix / directory).mkdir(parents=True, exist_ok=True)

    @property
    def machine(self) -> Machine:
        """The host as `setup` gets it; root is the user who runs the tests."""
        return Machine(prefix=self.prefix, run=self.run, find_account=self.find_account, root_uid=os.getuid())

    def find_account(self, user: str | int) -> pwd.struct_passwd | None:
        """Every user of this host is the one who runs the tests."""
        names = {"_mastodon_update_check": True, "postgres": self.has_superuser, os.getuid(): True}
        account = pwd.struct_passwd(("mastodon", "x", os.getuid(), os.getgid(), "", "/", ""))
        return account if names.get(user) else None

    def install(self, env: str, root: Path = ROOT) -> Path:
        """Put a Mastodon there; return where it really is."""
        tree = write_tree(self.real(root), flags("4.5.19"), "---\n")
        (tree / ".env.production").write_text(env)
        return tree

    def add_database(self, postgres: Postgres) -> None:
        """Let a server run there: its socket is in its directory."""
        self.postgres = postgres
        self.add_socket(Path(postgres.directory), postgres.port)

    def add_socket(self, directory: Path = Path("/var/run/postgresql"), port: int = 5432) -> None:
        """Let PostgreSQL's socket be there."""
        self.real(directory).mkdir(parents=True, exist_ok=True)
        (self.real(directory) / f".s.PGSQL.{port}").touch()

    def add_web_unit(self, unit: str, root: Path = ROOT, environment: str = "RAILS_ENV=production") -> None:
        """Let systemd know a unit of Mastodon's web server."""
        self.units[unit] = f"WorkingDirectory={root}\nEnvironment={environment}\n"

    def real(self, path: Path) -> Path:
        """Return where a path of the host is."""
        return self.prefix / path.relative_to("/")

    def read(self, path: str) -> str:
        """Return the text of one of its files."""
        return (self.prefix / path).read_text()

    def files(self) -> dict[str, str]:
        """Return every file that is not Mastodon's."""
        found = (path for path in self.prefix.rglob("*") if path.is_file() and "live" not in path.parts)
        found = (path for path in found if not path.name.startswith(".s.PGSQL"))
        return {str(path.relative_to(self.prefix)): path.read_text() for path in found}

    def commands(self, *words: str) -> list[str]:
        """Return what was run that begins with these words."""
        return [line for line in self.ran if line.startswith(" ".join(words))]

    def run(
        self, argv: Sequence[str], stdin: str = "", limit: timedelta = LIMIT, descriptors: Sequence[int] = ()
    ) -> Finished:
        """Answer as the host's programs would."""
        assert all(os.fstat(descriptor) for descriptor in descriptors)
        assert not isinstance(argv, str), "a command line for a shell"
        assert limit <= LIMIT
        line = " ".join(argv)
        self.ran.append(line)
        for beginning, finished in self.answers.items():
            if beginning in line:
                return finished
        match argv[:2]:
            case "systemctl", "show":
                return Finished(code=0, out="\n".join(self._show(argv[argv.index("--") + 1 :])))
            case "systemctl", "is-enabled":
                return Finished(code=0 if argv[-1] in self.enabled else 1)
            case "systemctl", "enable":
                self.enabled.add(argv[-1])
            case "systemctl", "disable":
                self.enabled.difference_update(argv)
            case "setpriv", "--reuid=postgres":
                return self._psql(argv, stdin)
            case "env", _ if line.endswith("recipients --json"):
                return Finished(code=0, out=self.recipients)
            case "env", _ if line.endswith("check --dry-run --json"):
                return Finished(code=0, out=self.pending)
        return Finished(code=0)

    def _show(self, patterns: Sequence[str]) -> Iterator[str]:
        """Yield the properties of each unit; patterns match loaded units only."""
        for pattern in patterns:
            if "*" not in pattern and pattern not in self.units:
                yield f"Id={pattern}\nLoadState=not-found\n"
            yield from (f"Id={unit}\n{shown}" for unit, shown in self.units.items() if fnmatch(unit, pattern))

    def _psql(self, argv: Sequence[str], stdin: str) -> Finished:
        if self.postgres is None:
            return Finished(code=2, err="psql: error: connection to server on socket failed\n")
        words = [word.replace("requirepeer=postgres", "user=postgres") for word in argv[argv.index("env") + 1 :]]
        words[words.index("psql")] = str(self.postgres.program("psql"))
        done = subprocess.run(
            ["env", *words], input=stdin, capture_output=True, text=True, check=False, env=ENVIRONMENT, cwd="/"
        )
        return Finished(code=done.returncode, out=done.stdout, err=done.stderr)


def session(host: Host, **options: object) -> SetupSession:
    """Return one run of `setup` there."""
    arguments = build_parser(is_status=False).parse_args(["setup", "--yes"])
    vars(arguments).update(options)
    return SetupSession(host.machine, arguments, (PROGRAM,))


def set_up(host: Host, **options: object) -> bool:
    """Set up without questions; pending notices are sent now unless `options` say otherwise."""
    return session(host, **({"tell": "now"} | options)).set_up()


def refused(host: Host, **options: object) -> str:
    """Return why setting up does not go on."""
    with pytest.raises(SetupError) as caught:
        set_up(host, **options)
    return str(caught.value)


def write_config(host: Host, text: str) -> None:
    """Write the administrator's file."""
    (host.prefix / CONFIG).parent.mkdir(exist_ok=True)
    (host.prefix / CONFIG).write_text(text)


class Terminal(io.StringIO):
    """Standard input with answers typed ahead."""

    def isatty(self) -> bool:
        """Say so."""
        return True
