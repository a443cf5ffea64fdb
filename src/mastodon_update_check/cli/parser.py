"""The commands and their options, as `--help` shows them."""

import sys
from argparse import SUPPRESS, Action, ArgumentError, ArgumentParser
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from mastodon_update_check import __version__

Option = tuple[tuple[str, ...], Mapping[str, Any]]
"""The names of an option or of a positional argument, and the other arguments of `add_argument`."""


class Command(NamedTuple):
    """One command; its help is its line in the list of commands, which hides commands without one."""

    help: str = ""
    description: str = ""
    """By default the help."""
    epilog: str = ""
    options: tuple[Option, ...] = ()
    alternatives: tuple[Option, ...] = ()
    """Options that exclude each other."""
    actions: Mapping[str, "Command"] = {}


def _option(*names: str, **details: object) -> Option:
    return names, details


def _flag(*names: str, help: str) -> Option:  # noqa: A002 - as argparse has it
    return names, {"action": "store_true", "help": help}


_DATA = (_flag("--json", help="print one JSON object"), _flag("-v", "--verbose", help="show details and log lines"))
COMMANDS = {
    "run": Command(
        "run the daemon: check every 30 minutes and notify",
        "Checks at once and then every 30 minutes (UPDATE_CHECK_INTERVAL), and delivers what is due, until it is "
        "stopped (Ctrl-C). A reload (SIGHUP) makes it read the settings again.",
    ),
    "check": Command(
        "check once, and try every due message once (for timers and cron)",
        "Asks the update server once, and makes one attempt at every message that is due; also beside the daemon.",
        "Exit status 1: the check failed; 75: it worked, but some messages are not delivered yet.",
        _DATA,
        (
            _flag("--dry-run", help="only show what would be sent, and to whom"),
            _flag("--mark", help="mark pending notices as sent without sending them"),
        ),
    ),
    "status": Command(
        "show the status of the server; exit status of a monitoring plugin",
        "Shows, from the ledger: installed version, pending releases, end of support, checks, undelivered messages.",
        "Exit status 0: nothing to do; 1: a patch of the own branch is pending, support ends within two weeks, or a "
        "message has been undelivered for 6 hours; 2: an urgent update, or out of support; 3: unknown, no check has "
        "worked for a while, or the settings are wrong. With --alive: 0 if the daemon is running, else 1.",
        (*_DATA, _flag("--alive", help="only say whether the daemon is running")),
    ),
    "recipients": Command(
        "list all recipients, the notices that each one gets, and why",
        "Lists all recipients: Mastodon's DevOps users, addresses, webhooks and the log; and the members of staff who "
        "are not notified, each with the reason.",
        "Exit status 1: Mastodon's database could not be asked.",
        _DATA,
    ),
    "doctor": Command(
        "diagnose problems and suggest fixes (read-only)",
        "Tries everything that is configured; nothing is sent: the mail server is tried up to the point where a mail "
        "would be sent, webhooks without posting. Problems come first, each with a fix. --verbose also lists every "
        "setting and where it comes from.",
        "Exit status 1: there is at least one error.",
        _DATA,
    ),
    "route": Command(
        "show which releases to deploy in which order, and the steps (read-only)",
        "Shows the way from the installed version to the newest release, and the steps to the first release on it, for "
        "the way in which this server was installed (UPDATE_CHECK_INSTALL_KIND).",
        "Exit status 1: the installed version or the newer releases are unknown; 2: not on the route.",
        (
            *_DATA,
            _option("version", metavar="VERSION", nargs="?", help="show the steps to this release or branch instead"),
        ),
    ),
    "send-test": Command(
        "send a test message through every sink, and show each result",
        "Sends one test message through every sink, or through those that are named, and prints each reply. The mail "
        "goes to the operator (UPDATE_CHECK_OPERATOR; without it, to every mail recipient). The ledger is not changed.",
        "Exit status 1: a message was not accepted, or only the log would be reached. Example: `send-test email`.",
        (
            *_DATA,
            _option("sinks", metavar="SINK", nargs="*", help="email, log, webhook, …; all that are configured"),
            _flag("--everyone", help="mail every recipient, not the operator alone"),
        ),
    ),
    "explain": Command(
        "show why someone was or was not notified, and when",
        "Shows, from the ledger, for a release or branch: who was notified when, who was not, and why; for a person or "
        "a sink: which notices they got, which not, and why. --verbose adds every attempt.",
        "Examples: `explain 4.5.20`, `explain 4.5` (its end of support), `explain ops@social.example`, `explain "
        "alice`, `explain webhook`.",
        (*_DATA, _option("about", metavar="VERSION|ADDRESS", help="a release, a branch, an address, a user or a sink")),
    ),
    "retry": Command(
        "try undelivered messages now, instead of when they are due",
        "Makes undelivered messages due now, also refused ones. A running daemon tries them within seconds.",
        "Examples: `retry`, `retry email`, `retry 4.5.20`, `retry ops@social.example`.",
        (
            *_DATA,
            _option("about", metavar="SINK|VERSION|ADDRESS", nargs="?", help="only of this sink, release or person"),
            _flag("--stopped", help="also webhooks that asked never to be called again (HTTP 410)"),
        ),
    ),
    "skip": Command(
        "ignore a release; without an argument, list ignored releases",
        "Ignores a release: no notices, no reminders, and no alarm of `status`. With --until it is only postponed: "
        "reminders and alarms begin again on that day.",
        "A release that turns urgent later is notified all the same. Older releases of its branch are ignored with it.",
        (*_DATA, _option("versions", metavar="VERSION", nargs="*", help="a pending release, as in 4.5.20")),
        (
            _option("--until", metavar="DATE", help="only no reminders and no alarm until then (2026-12-24)"),
            _flag("--undo", help="stop ignoring it"),
        ),
    ),
    "setup": Command(
        "set this program up beside the Mastodon of this host; for root",
        "Finds Mastodon on this host, shows a plan, asks, and carries it out: a database login that can only read the "
        "list of staff, the settings, what the service may see, and its start. Nothing of Mastodon's is changed.",
        "Exit status 1: it could not go on; what it had done stays, and `setup --undo` takes it back.",
        (
            _flag("--yes", help="answer every question with yes (the first run also needs --tell)"),
            _option("--tell", choices=("now", "mark"), help="send pending notices now, or mark them as sent"),
            _option("--release-details", choices=("github", "off"), help="fetch files of releases from GitHub, or not"),
            _option("--root", metavar="PATH", type=Path, help="Mastodon's tree, if there are several or none found"),
            _option("--name", metavar="NAME", default="", help="set up a further server on this host by this name"),
            _flag("--timer", help="check by a timer instead of a resident service"),
            _flag("--no-test", help="send no test message"),
            _flag("--no-start", help="prepare everything, but start and send nothing"),
        ),
        (
            _flag("--dry-run", help="only show what would be done"),
            _flag("--print-sql", help="only print the SQL of the login, to run it elsewhere"),
            _flag("--undo", help="take back what setup has done, and nothing else"),
        ),
    ),
    "demo": Command(
        "show a demonstration of half a minute; needs no Mastodon and no settings",
        "Runs the daemon beside a made-up Mastodon server, on loopback and in a temporary directory, and shows mails.",
        options=(_flag("--unless-set-up", help=SUPPRESS),),  # for `make run`
    ),
    "ledger": Command(
        "back up, copy or replace the ledger, which remembers all notices",
        actions={
            "backup": Command(
                "copy the ledger to a new file, also while the daemon is running",
                options=(_option("file", metavar="FILE", type=Path, help="the new file"),),
            ),
            "copy": Command(
                "copy a ledger that is not in use, also between SQLite and PostgreSQL",
                options=(
                    _option("source", metavar="FROM", help="a path, or a postgresql:// URL"),
                    _option("target", metavar="TO", help="the same; a ledger that is missing there, or empty"),
                ),
            ),
            "new": Command("rename the ledger and create a new one: everything pending is sent again"),
        },
    ),
    "check-settings": Command(description="Reads the settings and reports errors; for units."),
    "copy-settings": Command(
        description="Copies the settings that units need of Mastodon's.",
        options=(_option("name", metavar="NAME", nargs="?", default="", help="the further server"),),
    ),
}


def build_parser(*, is_status: bool) -> ArgumentParser:
    """Return the parser; with `is_status` the exit code of wrong usage is the one of monitoring plugins, 3."""

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            from mastodon_update_check.terminal import fill

            self.print_usage(sys.stderr)
            text = fill(f"{self.prog}: {message}; see `{self.prog} --help`", rest="    ", stream=sys.stderr)
            self.exit(3 if is_status else 2, f"{text}\n")

        # argparse offers nothing else for it before Python 3.14, whose `suggest_on_error` does it for every choice.
        def _check_value(self, action: Action, value: Any) -> None:  # noqa: ANN401 - as argparse has it
            if action.dest in {"command", "action"} and value not in (action.choices or ()):
                near = get_close_matches(value, action.choices or (), n=1)
                hint = f": did you mean {near[0]}?" if near else ""
                raise ArgumentError(None, f"there is no {action.dest} {value!r}{hint}")
            super()._check_value(action, value)

    parser = Parser(
        prog="mastodon-update-check",
        description="Notifies the administrators of a Mastodon server about updates, reliably and exactly once.",
        epilog="Settings come from the environment, /etc/mastodon-update-check/config.env and Mastodon's own "
        ".env.production. Exit status: 0 success, 2 usage error, 74 the ledger cannot be used, 75 temporary failure, "
        "78 the settings are wrong. `status` has the codes of a monitoring plugin, 0 to 3.",
    )
    parser.add_argument("--version", action="version", version=f"mastodon-update-check {__version__}")
    _add(parser, "command", COMMANDS)
    return parser


def _add(parser: ArgumentParser, dest: str, commands: Mapping[str, Command]) -> None:
    subparsers = parser.add_subparsers(dest=dest, metavar=dest.upper(), required=True)
    for name, command in commands.items():
        listed: dict[str, Any] = {"help": command.help} if command.help else {}
        description = command.description or f"{command.help[0].upper()}{command.help[1:]}."
        below = subparsers.add_parser(name, description=description, epilog=command.epilog, **listed)
        for names, details in command.options:
            below.add_argument(*names, **details)
        if command.alternatives:
            group = below.add_mutually_exclusive_group()
            for names, details in command.alternatives:
                group.add_argument(*names, **details)
        if command.actions:
            _add(below, "action", command.actions)
