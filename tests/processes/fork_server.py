"""Runs the program many times a second: each run is a fork of a process that has imported it already.

What runs is `cli.main`, with arguments, environment, directory and outputs of its own, as if it had just been started;
only the imports are over. Orders come as lines of JSON on standard input, answers go to standard output: the process id
for a start, the exit status (`os.waitstatus_to_exitcode`) for a wait.
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
from typing import Any, NoReturn

import mastodon_update_check
from crashes import steps
from mastodon_update_check.cli import main as cli

_OTHERS = ("email.mime.multipart", "encodings.idna", "httpcore", "httpx", "psycopg", "smtplib")
"""What the program imports where it is used, besides its own modules."""


def main() -> None:
    """Obey until standard input ends."""
    for name in (*_own_modules(), *_OTHERS):
        import_module(name)
    gc.collect()
    gc.freeze()  # what is shared with the forks stays shared
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
    """Be the program."""
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["directory"])
    _point(os.devnull, 0)
    _point(order["out"], 1)
    _point(order["err"], 2)
    sys.argv = ["mastodon-update-check", *order["arguments"]]
    # What a child process is started by: the program, as it is installed.
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


def _point(path: str, number: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, number)
    os.close(descriptor)


if __name__ == "__main__":
    main()
