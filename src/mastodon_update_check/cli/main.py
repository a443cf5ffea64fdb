"""The command line: parses the arguments, runs a command, reports its error and exits."""

import errno
import gc
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from argparse import Namespace

_WITHOUT_APP = frozenset({"setup", "copy-settings", "demo", "status"})
_FOR_ROOT = frozenset({"setup", "copy-settings", "demo"})


def main() -> NoReturn:
    """Run the command that the process's arguments name, and exit with its code."""
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
        _flush()
        gc.freeze()  # nor is it looked for at the very end


def execute(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    from mastodon_update_check.cli.parser import build_parser

    parser = build_parser(is_status=arguments[:1] == ["status"])
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    parsed = parser.parse_args(arguments)
    try:
        code = _dispatch(parsed, arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        return 141
    except Exception as error:  # noqa: BLE001 - an operator must never be shown a traceback
        return _report(error, parsed)
    return code


def _dispatch(parsed: "Namespace", arguments: list[str]) -> int:
    """Run the command's module: as the service where root runs it on an installed server."""
    from importlib import import_module

    if os.geteuid() == 0 and parsed.command not in _FOR_ROOT and os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - saves an import
        from mastodon_update_check.cli.as_service import execute_as_service

        code = execute_as_service(parsed, arguments)
        if code is not None:
            return code
    if parsed.command == "run":
        from mastodon_update_check.daemon.start import run

        run()
    if parsed.command == "check-settings":
        from mastodon_update_check.config import load_settings

        load_settings(os.environ)
        return 0
    name = "setup" if parsed.command == "copy-settings" else parsed.command.replace("-", "_")
    module = import_module(f"mastodon_update_check.cli.{name}")
    if parsed.command in _WITHOUT_APP:
        return int(module.execute(parsed))
    from mastodon_update_check.startup import load_app

    return int(module.execute(load_app(is_verbose=getattr(parsed, "verbose", False)), parsed))


def _report(error: Exception, parsed: "Namespace") -> int:
    """Write an error on standard error; return the exit code."""
    from mastodon_update_check.domain.text import clean, describe_bug
    from mastodon_update_check.errors import LedgerError, SettingsError, SetupError, UsageError
    from mastodon_update_check.terminal import complain

    advice = advise(parsed.command, str(error), os.geteuid())
    code, more = 70, ""
    match error:
        case SettingsError():
            code = error.exit_code
            first = "you may not read the settings" if advice else "the settings are wrong"
            lines = [f"{first}:", *(f"  - {problem}" for problem in error.problems), *advice]
            more = f" ({len(error.problems)} to fix, see standard error)"
        case UsageError() | LedgerError() | SetupError():
            code, lines = error.exit_code, [str(error), *advice]
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG | errno.EIO):
            lines = [f"the output cannot be written: {clean(error.strerror or str(error)).lower()}"]
        case _:
            lines = [describe_bug(error)]
    is_plugin = parsed.command == "status" and not parsed.json and not sys.stdout.isatty()
    if is_plugin:
        why = f"{lines[0].removesuffix(':')}{more}".replace("|", "/")
        with suppress(OSError):  # all that a monitoring system shows
            print(f"MASTODON-UPDATE-CHECK UNKNOWN - {why}", flush=True)
    if not (is_plugin and isinstance(error, SetupError)):  # the plugin's line says everything
        complain("\n".join(lines))
    return 3 if parsed.command == "status" and code != LedgerError.exit_code else code


def advise(command: str, why: str, user: int) -> tuple[str, ...]:
    """Advise a person without permission to use sudo."""
    if command == "run" or user == 0 or "permission denied" not in why.lower():
        return ()
    return ("On a server where it is installed: run this with sudo, then it acts as the service.",)


def _open_streams() -> None:
    """Open standard output and standard error on the null device where the process was started without them.

    Both show no secrets, and no control characters but this program's own.
    """
    from mastodon_update_check.logs import CleanStream

    for name in ("stdout", "stderr"):
        stream = getattr(sys, name) or open(os.devnull, "w")  # noqa: SIM115, PTH123 - it lives as long as the process
        is_pipe_to_daemon = name == "stdout" and sys.argv[1:2] == ["job"]
        setattr(sys, name, stream if is_pipe_to_daemon else CleanStream.around(stream))


def _flush() -> None:
    """Flush the standard streams; an error was reported already, or cannot be."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # The interpreter flushes once more when it ends, and would write an error of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
