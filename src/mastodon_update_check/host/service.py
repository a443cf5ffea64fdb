"""Commands run by root on an installed server run inside the service's own sandbox.

`systemd-run` starts them with the lines of the unit and its drop-ins: the same user, ledger, secrets, view of the files
and limits, also while the unit does not run. They have a session of their own; between it and root's terminal there is
a pseudo-terminal of systemd's, or pipes, so that nothing in it can put keystrokes into that terminal.

Installed means: the settings are where the package puts them, and systemd has a unit that runs this program as a user
of its own. Elsewhere (a checkout, a container, another `UPDATE_CHECK_CONFIG`) a command runs as it is.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Place, find_place
from mastodon_update_check.host.programs import ENVIRONMENT, Run, run_program

CONFIG: Final = "UPDATE_CHECK_CONFIG"
TRANSIENT_FILES: Final = Path("/run")
_LIFECYCLE = re.compile("Exec(?!Paths)|Restart|Type=|NotifyAccess|Timeout|Watchdog|SuccessExit|Standard|Kill|OOM")
"""Directives about the daemon's life; every other one applies to a command too."""
_PASSED: Final = re.compile(
    "UPDATE_CHECK_.*|SMTP_.*|DB_.*|LC_.*|MASTODON_VERSION_.*|DATABASE_URL|LOCAL_DOMAIN|WEB_DOMAIN|SELF_DESTRUCT"
    "|https?_proxy|no_proxy|LANG|LANGUAGE|TZ|NO_COLOR|COLUMNS"
)
"""Variables of root's that a command gets: settings, and the look of its output. libpq's are not among them."""
_NAMES_SERVER = re.compile(r"^[ \t]*(LOCAL_DOMAIN|UPDATE_CHECK_(MASTODON_\w+|INSTANCE_URL))\b", re.MULTILINE)
_SANDBOX_FAILED: Final = range(200, 255)
"""Exit codes of systemd's own, when it could not prepare the process (systemd.exec(5))."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that is installed on this host."""

    place: Place
    properties: tuple[str, ...]
    """Lines such as `User=_mastodon_update_check`, in the order of the unit and its drop-ins."""
    program: str

    @property
    def is_set_up(self) -> bool:
        """Whether `setup` has been run, or an administrator has named a server in the settings."""
        return _NAMES_SERVER.search(self.place.config_file.read_text(errors="replace")) is not None


def find_service(
    environ: Mapping[str, str], run: Run = run_program, first: Place | None = None, program: str = ""
) -> Service | None:
    """Return the service whose settings a command would take; None where none is installed.

    `first` is the first service's place. `program` is the path of the program that asks: a checkout's is not the
    service's.
    """
    first = first or Place.of()
    place = find_place(Path(environ.get(CONFIG, "").strip() or first.config_file), first.prefix)
    if place is None or not place.config_file.is_file():
        return None
    answer = run(("systemctl", "cat", "--no-pager", place.unit))
    lines = list(_service_lines(answer.out, place.name)) if answer.has_worked else []
    user = [line for line in lines if line.startswith("User=")]
    started = [line.partition("=")[2].split()[0] for line in lines if re.match("ExecStart=.", line)]
    is_own = user and started and user[-1] not in {"User=root", "User=0", "User="}
    if not is_own or Path(program or sys.argv[0]).resolve() != Path(started[-1]).resolve():
        return None
    properties = tuple(line for line in lines if not _LIFECYCLE.match(line))
    return Service(place=place, properties=properties, program=started[-1])


def run_as_service(
    service: Service, words: Sequence[str], environ: Mapping[str, str], out: IO[bytes] | None = None
) -> int:
    """Run a command of this program in the service's sandbox; return its exit code.

    The command gets the settings of root's environment. `out` is an open file instead of standard output. Raises
    `SetupError` when systemd could not prepare the sandbox.
    """
    unit = f"{service.place.unit.removesuffix('.service').replace('@', '-')}-command-{os.getpid()}.service"
    is_terminal = out is None and all(os.isatty(number) for number in range(3))
    with _environment_file(environ) as given:
        command = (*transient_command(service, unit, given, is_terminal=is_terminal), service.program, *words)
        try:
            if is_terminal:
                look = {"TERM": os.environ.get("TERM", "dumb"), "SYSTEMD_ADJUST_TERMINAL_TITLE": "0"}
                code = subprocess.call(command, env=ENVIRONMENT | look)  # noqa: S603 - a list of words, no shell
            else:
                code = _run_through_pipes(command, out)
        except KeyboardInterrupt:
            run_program(("systemctl", "stop", unit))
            raise
    if code in _SANDBOX_FAILED:
        raise SetupError(
            f"systemd could not prepare the sandbox of {service.place.unit} (exit status {code}, see systemd.exec(5)): "
            f"`journalctl -u {unit}` says why"
        )
    return code


def transient_command(service: Service, unit: str, environment_file: str, *, is_terminal: bool) -> tuple[str, ...]:
    """Return the words that start a command in the sandbox; the command's own words follow."""
    # `PrivateUsers=no`: `route` names the owner of Mastodon's tree.
    properties = (*service.properties, "PrivateUsers=no", f"EnvironmentFile={environment_file}")
    return (
        *("systemd-run", "--quiet", "--wait", "--collect", "--service-type=exec", f"--unit={unit}"),
        "--pty" if is_terminal else "--pipe",
        *(f"--property={line}" for line in properties),
        "--",
    )


def _service_lines(text: str, name: str) -> Iterator[str]:
    """Yield the directives of `[Service]` sections, with the instance's name where they have `%i`."""
    section = ""
    for line in map(str.strip, text.replace("\\\n", " ").splitlines()):
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and line[0] not in "#;":
            yield line.replace("%i", name).replace("%%", "%")


@contextmanager
def _environment_file(environ: Mapping[str, str]) -> Iterator[str]:
    """Write root's settings where only root reads them: systemd shows the properties of a unit to every user."""
    quoted = {name: re.sub(r'(["\\`$])', r"\\\1", text) for name, text in environ.items() if _PASSED.fullmatch(name)}
    with tempfile.NamedTemporaryFile(
        "w", dir=TRANSIENT_FILES, prefix="mastodon-update-check-", errors="surrogateescape"
    ) as file:
        file.writelines(f'{name}="{text}"\n' for name, text in quoted.items())
        file.flush()
        yield file.name


def _run_through_pipes(command: Sequence[str], out: IO[bytes] | None) -> int:
    """Run it with `cat` between the command and each stream that is a terminal."""
    relays = []
    streams: list[IO[bytes] | None] = [out, None]
    for index, number in enumerate((1, 2)):
        if streams[index] is None and os.isatty(number):
            relay = subprocess.Popen(("/usr/bin/cat",), stdin=subprocess.PIPE, stdout=number, start_new_session=True)
            relays.append(relay)
            streams[index] = relay.stdin
    stdin = subprocess.DEVNULL if os.isatty(0) else None
    try:
        return subprocess.call(command, stdin=stdin, stdout=streams[0], stderr=streams[1], env=ENVIRONMENT)  # noqa: S603
    finally:
        for relay in relays:
            relay.communicate()
