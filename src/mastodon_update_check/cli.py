"""The command line: parses, dispatches, and turns errors into sentences and exit codes."""

import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def main() -> NoReturn:
    """Run the command that the process's arguments name, and leave with its exit code."""
    if "run" in sys.argv[1:]:
        # Before anything slow: a SIGHUP or SIGTERM that comes early waits until the daemon takes it.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
    sys.exit(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    from mastodon_update_check.errors import LedgerError, SettingsError

    parsed = _build_parser(is_status="status" in arguments[:1]).parse_args(arguments)
    try:
        return _dispatch(parsed)
    except SettingsError as error:
        _complain("the settings are wrong:", *(f"  - {problem}" for problem in error.problems))
        return 3 if parsed.command == "status" else 78
    except LedgerError as error:
        _complain(str(error))
        return 74
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `... | head`
        sys.stderr.close()
        return 141
    except Exception as error:  # noqa: BLE001 - an operator must never be shown a traceback
        _complain(_describe_bug(error))
        return 70


def _dispatch(parsed: "Namespace") -> int:
    from importlib import import_module

    command = import_module(f"mastodon_update_check.commands.{parsed.command}")
    return int(command.execute(parsed))


def _complain(*lines: str) -> None:
    sys.stderr.write("\n".join((f"mastodon-update-check: {lines[0]}", *lines[1:])) + "\n")


def _describe_bug(error: Exception) -> str:
    from traceback import extract_tb

    from mastodon_update_check.core.text import clean

    where = extract_tb(error.__traceback__)[-1]
    return (
        f"this is a bug in mastodon-update-check, please report it: {type(error).__name__} in "
        f"{where.filename.rpartition('/')[2]}, line {where.lineno}: {clean(str(error))}"
    )


def _build_parser(*, is_status: bool) -> "ArgumentParser":
    from argparse import ArgumentParser
    from pathlib import Path

    from mastodon_update_check import __version__

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(3 if is_status else 2, f"{self.prog}: {message}\n")

    parser = Parser(
        prog="mastodon-update-check",
        description="Tells the administrators of a Mastodon server, once and surely, when it needs an update.",
        epilog="Settings come from the environment, /etc/mastodon-update-check/config.env and Mastodon's own "
        ".env.production. See how the server stands with `mastodon-update-check status`.",
    )
    parser.add_argument("--version", action="version", version=f"mastodon-update-check {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    commands.add_parser("run", help="run the daemon: check every 30 minutes and tell whoever wants to know")

    check = commands.add_parser("check", help="check once, and try every due message once (for timers and cron)")
    check.add_argument("--dry-run", action="store_true", help="only show what would be sent, and to whom")
    check.add_argument("--json", action="store_true", help="print one JSON object")

    status = commands.add_parser("status", help="show how the server stands; exit codes as of a monitoring plugin")
    status.add_argument("--alive", action="store_true", help="only say whether the daemon does its work")
    status.add_argument("--json", action="store_true", help="print one JSON object")

    ledger = commands.add_parser("ledger", help="look after the ledger, which remembers what was told")
    actions = ledger.add_subparsers(dest="action", metavar="ACTION", required=True)
    backup = actions.add_parser("backup", help="copy the ledger to a new file, also while the daemon runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file")
    actions.add_parser("new", help="set the ledger aside and begin a new one: all that is pending is told again")
    return parser


if __name__ == "__main__":
    main()
