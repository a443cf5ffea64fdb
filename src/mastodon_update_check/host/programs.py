"""Programs of this host: started from a list of words, never through a shell, bounded in time and in output.

coreutils' `timeout` ends a program with everything it has started, and util-linux' `prlimit` bounds its output while it
is written. A program has a session of its own: a terminal of root's is out of its reach.
"""

import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LIMIT: Final = timedelta(minutes=3)
"""How long a program may take; a service may take 90 seconds to start."""
OUTPUT_BYTES: Final = 1 << 20
_TIMED_OUT: Final = 124
_KILLED: Final = 128 + signal.SIGKILL
_TOO_LONG: Final = 128 + signal.SIGXFSZ
# As in a shell of root's, without its variables: no PGHOST, no pager, no translations.
ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The result of a program."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def has_worked(self) -> bool:
        """Whether its exit code is 0."""
        return self.code == 0


Run = Callable[..., Finished]
"""A function like `run_program`; tests have others."""


def run_program(
    argv: Sequence[str], stdin: str = "", limit: timedelta = LIMIT, descriptors: Sequence[int] = ()
) -> Finished:
    """Run a program, which inherits the descriptors.

    One that is missing, takes too long or prints too much has an exit code that is not 0.
    """
    seconds = max(0.1, limit.total_seconds())
    bounds = ("timeout", "--kill-after=5", f"{seconds}", "prlimit", f"--fsize={OUTPUT_BYTES}", "--core=0", "--")
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            done = subprocess.run(  # noqa: S603 - a list of words, no shell
                (*bounds, *argv),
                input=stdin.encode(errors="surrogateescape"),
                stdout=out,
                stderr=err,
                check=False,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
                pass_fds=descriptors,
            )
        except FileNotFoundError as error:
            return Finished(code=127, err=f"{error.filename}: {error.strerror}")
        out.seek(0)
        err.seek(0)
        texts = [file.read(OUTPUT_BYTES).decode(errors="replace") for file in (out, err)]
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    said = {
        _TIMED_OUT: f"{argv[0]} did not end within {seconds:.0f} seconds",
        _KILLED: f"{argv[0]} was killed",
        _TOO_LONG: f"{argv[0]} printed more than {OUTPUT_BYTES} bytes",
    }
    return Finished(code=code, out=texts[0], err=said.get(code, texts[1]))
