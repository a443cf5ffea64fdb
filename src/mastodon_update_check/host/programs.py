"""Programs of this host: started by a list of words, never through a shell, in an environment of their own."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

LIMIT: Final = timedelta(minutes=3)
"""How long a program may take; a service that starts has 90 seconds."""
OUTPUT_CHARACTERS: Final = 1 << 20
_NOT_FOUND: Final = 127
_TOO_LATE: Final = 124
# As in a shell of root's, without anything of it: no PGHOST, no pager, no language that changes the words.
ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_PAGER": "",
    "SYSTEMD_COLORS": "0",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a program left behind."""

    code: int
    out: str = ""
    err: str = ""

    @property
    def has_worked(self) -> bool:
        """Whether it says so itself."""
        return self.code == 0


Run = Callable[[Sequence[str], str], Finished]
"""Runs a program to its end; the second argument is its standard input."""


def run_program(argv: Sequence[str], stdin: str = "") -> Finished:
    """Run a program; one that is missing or does not end is an answer too."""
    try:
        process = subprocess.run(  # noqa: S603 - a list of words, no shell
            argv,
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=ENVIRONMENT,
            cwd="/",
            timeout=LIMIT.total_seconds(),
        )
    except (FileNotFoundError, PermissionError) as error:
        return Finished(code=_NOT_FOUND, err=f"{argv[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        return Finished(code=_TOO_LATE, err=f"{argv[0]} did not end within {int(LIMIT.total_seconds())} seconds")
    return Finished(
        code=process.returncode, out=process.stdout[:OUTPUT_CHARACTERS], err=process.stderr[:OUTPUT_CHARACTERS]
    )
