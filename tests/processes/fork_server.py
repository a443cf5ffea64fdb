"""Runs the program many times a second: each run is a fork of a process that has imported it already.

Each run is `cli.main` with its own arguments, environment, directory and outputs; only the imports are done before.
Orders are lines of JSON on standard input, and answers lines on standard output: the process id for a start, the exit
status (`os.waitstatus_to_exitcode`) for a wait.
"""

import contextlib
import gc
import json
import os
import pkgutil
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, TextIO

import mastodon_update_check
from crashes import steps
from mastodon_update_check.cli import main as cli
from mastodon_update_check.host import programs

_OTHERS = ("email.mime.multipart", "encodings.idna", "httpcore", "httpx", "psycopg", "smtplib")
"""Modules that the program imports inside functions, in addition to its own."""


def main() -> None:
    """Execute orders until standard input ends."""
    for name in (*_own_modules(), *_OTHERS):
        import_module(name)
    gc.collect()
    gc.freeze()  # pages that are shared with the forks stay shared
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        else:
            answer = os.fork() or _become(order)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _own_modules() -> list[str]:
    found = pkgutil.walk_packages(mastodon_update_check.__path__, f"{mastodon_update_check.__name__}.")
    return [module.name for module in found if not module.name.endswith(".__main__")]


def _become(order: dict[str, Any]) -> NoReturn:
    """Become the program."""
    os.environ.clear()
    os.environ.update(order["environment"])
    programs.ENVIRONMENT["PATH"] = os.environ.get("PATH", "")  # a test may hide the host's programs, such as systemctl
    time.tzset()
    os.chdir(order["directory"])
    _point(os.devnull, 0)
    sys.stdout = _open(order["out"], 1)
    sys.stderr = _open(order["err"], 2)
    sys.argv = ["mastodon-update-check", *order["arguments"]]
    # The command of child processes: the installed program.
    sys.orig_argv = [sys.executable, str(Path(sys.executable).with_name("mastodon-update-check")), *order["arguments"]]
    code = 70
    steps.install(os.environ)
    try:
        cli.main()
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _open(path: str, number: int) -> TextIO:
    """Return a new stream, because the old one remembers whether its file was seekable."""
    _point(path, number)
    return open(number, "w", buffering=1 if number == 2 else -1, closefd=False)


def _point(path: str, number: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, number)
    os.close(descriptor)


if __name__ == "__main__":
    main()
