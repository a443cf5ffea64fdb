"""Which service root's commands act as, and what systemd is asked to start for them."""

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mastodon_update_check.errors import SetupError
from mastodon_update_check.host import service as module
from mastodon_update_check.host.machine import Place, find_place
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.host.service import Service, find_service, run_as_service, transient_command

PROJECT = Path(__file__).parents[2]
PROGRAM = "/usr/bin/mastodon-update-check"
PREFIX = Path("/etc/mastodon-update-check")
TEXT = """\
# /usr/lib/systemd/system/mastodon-update-check@.service
[Unit]
Description=Notifies
[Service]
Type=notify
ExecStartPre=-+/usr/bin/true
ExecStart=/usr/bin/mastodon-update-check run
Environment=UPDATE_CHECK_CONFIG=/etc/mastodon-update-check/%i.env
User=_mastodon_update_check
Restart=on-failure
WatchdogSec=60
TemporaryFileSystem=/home:ro \\
  /root:ro
ExecPaths=/usr
# /etc/systemd/system/mastodon-update-check@second.service.d/override.conf
[Service]
 LoadCredential=smtp_password:/etc/secrets/smtp
#LoadCredential=commented:/etc/x
[Install]
WantedBy=multi-user.target
"""
PROPERTIES = (
    "Environment=UPDATE_CHECK_CONFIG=/etc/mastodon-update-check/second.env",
    "User=_mastodon_update_check",
    "TemporaryFileSystem=/home:ro    /root:ro",
    "ExecPaths=/usr",
    "LoadCredential=smtp_password:/etc/secrets/smtp",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a further server's place, with settings."""
    place = Place.of("second", tmp_path)
    place.config_file.parent.mkdir(parents=True)
    place.config_file.write_text("# as the package brings it\n\n")
    return place


def find(place: Place, text: str = TEXT, code: int = 0, program: str = PROGRAM) -> Service | None:
    """Look for the service of that place."""

    def run(argv: Sequence[str]) -> Finished:
        assert argv[:2] == ("systemctl", "cat")
        return Finished(code=code, out=text)

    return find_service({"UPDATE_CHECK_CONFIG": str(place.config_file)}, run, Place.of(prefix=place.prefix), program)


@pytest.fixture
def service(place: Place) -> Service:
    """Return the service of that place."""
    found = find(place)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        (PREFIX / "config.env", "mastodon-update-check.service"),
        (PREFIX / "second.env", "mastodon-update-check@second.service"),
        (PREFIX / "SECOND.env", None),
        (PREFIX / "config.txt", None),
        (Path("/root/config.env"), None),
        (Path("config.env"), None),
    ],
)
def test_unit_of_settings(path: Path, unit: str | None) -> None:
    """Each service has its file of settings; another file belongs to no service."""
    place = find_place(path)
    assert (place.unit if place else None) == unit


def test_lines_of_the_unit_apply_to_commands(service: Service) -> None:
    """User, secrets and view are those of the unit and its drop-ins; its daemon's life is not a command's."""
    expected = (PROPERTIES, PROGRAM, "mastodon-update-check@second.service")
    assert (service.properties, service.program, service.place.unit) == expected


@pytest.mark.parametrize(
    ("text", "code", "program"),
    [
        pytest.param(TEXT, 1, PROGRAM, id="no such unit"),
        pytest.param("", 0, PROGRAM, id="nothing said"),
        pytest.param(TEXT.replace("User=_mastodon_update_check", ""), 0, PROGRAM, id="no user of its own"),
        pytest.param(TEXT + "[Service]\nUser=root\n", 0, PROGRAM, id="root by a drop-in"),
        pytest.param(TEXT, 0, "/root/checkout/.venv/bin/mastodon-update-check", id="a checkout"),
    ],
)
def test_not_installed(place: Place, text: str, code: int, program: str) -> None:
    """Without a unit that runs this very program as a user of its own, commands run as they are."""
    assert find(place, text, code, program) is None


def test_other_settings_ask_nothing(tmp_path: Path) -> None:
    """With another file of settings, or none in its place, systemd is not even asked."""

    def fail(*_: object, **__: object) -> Finished:
        raise AssertionError

    assert find_service({"UPDATE_CHECK_CONFIG": str(tmp_path / "mine.env")}, fail) is None
    assert find_service({}, fail, Place.of(prefix=tmp_path)) is None


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("# x\n", False),
        ("UPDATE_CHECK_URL=x\n#LOCAL_DOMAIN=x\n", False),
        ("A=1\n LOCAL_DOMAIN=x\n", True),
        ("UPDATE_CHECK_MASTODON_ROOT='/home/mastodon/live'\n", True),
    ],
)
def test_set_up(service: Service, config: str, *, expected: bool) -> None:
    """Set up means: `setup` has been run, or the settings have been written by hand."""
    service.place.config_file.write_text(config)
    assert service.is_set_up is expected


def test_command_has_no_secrets(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Root's settings reach the command by a file that only root can read; other variables do not reach it."""
    seen: list[tuple[Sequence[str], str, int]] = []

    def call(command: Sequence[str], **_: object) -> int:
        (line,) = [word for word in command if word.startswith("--property=EnvironmentFile=")]
        file = Path(line.rpartition("=")[2])
        seen.append((command, file.read_text(), file.stat().st_mode & 0o777))
        return 3

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(module, "TRANSIENT_FILES", tmp_path)
    environ = {"UPDATE_CHECK_WEBHOOK_SECRET": 'a"$b\\', "PGPASSWORD": "x", "PATH": "/x", "LC_ALL": "C", "HOME": "/root"}
    with (tmp_path / "backup").open("wb") as out:
        assert run_as_service(service, ("status", "--json"), environ, out) == 3
    ((command, text, mode),) = seen
    assert (text, mode) == ('UPDATE_CHECK_WEBHOOK_SECRET="a\\"\\$b\\\\"\nLC_ALL="C"\n', 0o600)
    assert command[-3:] == (PROGRAM, "status", "--json")
    assert not [word for word in command if "WEBHOOK_SECRET" in word]
    assert not list(tmp_path.glob("mastodon-update-check-*"))


def test_failed_sandbox_is_named(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A state directory that systemd cannot use, for example a dangling link, is named; it is not called a bug."""
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: 238)
    monkeypatch.setattr(module, "TRANSIENT_FILES", tmp_path)
    with (tmp_path / "out").open("wb") as out, pytest.raises(SetupError, match=r"sandbox .*238.*journalctl -u"):
        run_as_service(service, ("status",), {}, out)


def test_terminal_or_pipes(service: Service) -> None:
    """A terminal is replaced by a pseudo-terminal of systemd's; the owner of the tree stays visible to `route`."""
    in_terminal = transient_command(service, "x.service", "/run/file", is_terminal=True)
    piped = transient_command(service, "x.service", "/run/file", is_terminal=False)
    assert ("--pty" in in_terminal, "--pipe" in in_terminal) == (True, False)
    assert ("--pty" in piped, "--pipe" in piped) == (False, True)
    assert piped[-3:] == ("--property=PrivateUsers=no", "--property=EnvironmentFile=/run/file", "--")


# Runs a command that looks at its streams, as root's with a terminal on some of them.
SCRIPT = """
import sys
from mastodon_update_check.host.service import _run_through_pipes
look = "import os; os.write(2, b'err '); print(*(os.isatty(n) for n in range(3)), flush=True); raise SystemExit(5)"
sys.exit(_run_through_pipes((sys.executable, "-c", look), None))
"""


def test_command_never_gets_the_terminal() -> None:
    """When one stream leads elsewhere, the others reach the terminal through pipes; exit code and output stay."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(PROJECT)
        os.execv(sys.executable, [sys.executable, "-c", SCRIPT])  # noqa: S606 - it needs no shell
    said = b""
    try:
        while piece := os.read(terminal, 4096):
            said += piece
    except OSError:  # the terminal has no writer any more
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 5
    assert b"err " in said
    assert b"False False False" in said
