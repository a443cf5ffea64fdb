"""The command line: parses, dispatches, and turns errors into sentences and exit codes."""

import errno
import gc
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from argparse import Namespace


def main() -> NoReturn:
    """Run the command that the process's arguments name, and leave with its exit code."""
    if sys.argv[1:2] == ["run"]:
        # Before anything slow: a signal that comes early waits until the daemon takes it.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1))
    # A command is over before garbage matters, and looking for it takes a fifth of its time; the daemon enables it.
    gc.disable()
    _open_streams()
    try:
        if sys.argv[1:2] == ["job"]:  # a child process of the daemon
            from mastodon_update_check.daemon.job import main as run_job

            run_job(sys.argv[2])
        sys.exit(execute(sys.argv[1:]))
    except KeyboardInterrupt:  # at any time, also while modules are loaded
        sys.exit(130)
    finally:
        _leave_quietly()
        gc.freeze()  # nor is it looked for at the very end


def execute(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    from mastodon_update_check.cli.parser import build_parser
    from mastodon_update_check.errors import LedgerError, SettingsError, SetupError, UsageError

    parser = build_parser(is_status=arguments[:1] == ["status"])
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    parsed = parser.parse_args(arguments)
    try:
        code = _dispatch(parsed, arguments)
        sys.stdout.flush()
    except UsageError as error:
        _complain(str(error))
        return 2
    except SettingsError as error:
        advice = advise(parsed.command, str(error), os.geteuid())
        wrong = "you may not read the settings" if advice else "the settings are wrong"
        _say_unknown(parsed, f"{wrong} ({len(error.problems)} to fix, see standard error)")
        _complain(f"{wrong}:", *(f"  - {problem}" for problem in error.problems), *advice)
        return 3 if parsed.command == "status" else 78
    except LedgerError as error:
        _say_unknown(parsed, str(error))
        _complain(str(error), *advise(parsed.command, str(error), os.geteuid()))
        return 74
    except SetupError as error:
        if parsed.command == "status" and not parsed.json:
            _say_unknown(parsed, str(error))
        else:
            _complain(str(error))
        return 3 if parsed.command == "status" else 1
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        return 141
    except Exception as error:  # noqa: BLE001 - an operator must never be shown a traceback
        _complain(_describe_bug(error))
        return 3 if parsed.command == "status" else 70
    return code


def _say_unknown(parsed: "Namespace", why: str) -> None:
    """Say on standard output, which is all that a monitoring system shows, why `status` has no answer."""
    if parsed.command == "status" and not parsed.json:
        print(f"MASTODON-UPDATE-CHECK UNKNOWN - {why.replace('|', '/')}", flush=True)


def advise(command: str, why: str, user: int) -> tuple[str, ...]:
    """Advise a person without permission to use sudo."""
    if command == "run" or user == 0 or "permission denied" not in why.lower():
        return ()
    return ("On a server where it is installed: run this with sudo, then it acts as the service.",)


def _dispatch(parsed: "Namespace", arguments: list[str]) -> int:
    from importlib import import_module

    if os.geteuid() == 0 and not _is_for_root(parsed):
        code = _run_as_service(arguments)
        if code is not None:
            return code
    command = import_module(f"mastodon_update_check.cli.{parsed.command.replace('-', '_')}")
    return int(command.execute(parsed))


def _is_for_root(parsed: "Namespace") -> bool:
    """Whether a command is root's to run; a backup is written where root says, so it divides the work itself."""
    return parsed.command in {"setup", "copy-settings", "demo"} or getattr(parsed, "action", "") == "backup"


def _run_as_service(arguments: list[str]) -> int | None:
    """Run the command in the service's sandbox, where a service is installed; return its exit code, else None."""
    if not os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - pathlib is not needed for most commands
        return None
    from mastodon_update_check.errors import SetupError
    from mastodon_update_check.host.service import find_service, run_as_service

    service = find_service(os.environ)
    if service is None:
        return None
    if not service.is_set_up:
        raise SetupError("setup has not been run: run `mastodon-update-check setup` as root")
    if arguments[:1] == ["doctor"]:
        from mastodon_update_check.host.machine import Machine
        from mastodon_update_check.install.copying import differs_from_copy

        if differs_from_copy(Machine(), service.place):
            reload = f"`systemctl reload {service.place.unit}`"
            _complain(f"Mastodon's settings have changed since the service read them: run {reload}, then doctor again")
    return run_as_service(service, arguments, os.environ)


def _open_streams() -> None:
    """Give a process that was started without standard output or standard error one that leads nowhere.

    What the terminal's encoding lacks is written as an escape: not everybody has UTF-8, nor every path on a disk.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115, PTH123 - it lives as long as the process
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _leave_quietly() -> None:
    """Flush what is left; what cannot be written any more has been spoken of, or there is nobody to tell."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # The interpreter flushes once more when it ends, and would complain in words of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(*lines: str) -> None:
    try:
        sys.stderr.write("\n".join((f"mastodon-update-check: {lines[0]}", *lines[1:])) + "\n")
    except OSError:  # nobody can be told; the exit code still can
        return


def _describe_bug(error: Exception) -> str:
    from traceback import extract_tb

    from mastodon_update_check.domain.text import clean

    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}:
        return f"the output cannot be written: {clean(error.strerror or str(error)).lower()}"
    where = extract_tb(error.__traceback__)[-1]
    return (
        f"this is a bug in mastodon-update-check, please report it: {type(error).__name__} in "
        f"{where.filename.rpartition('/')[2]}, line {where.lineno}: {clean(str(error))}"
    )


if __name__ == "__main__":
    main()
