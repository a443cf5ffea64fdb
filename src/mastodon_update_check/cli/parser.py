"""The commands and their options, as `--help` shows them."""

import sys
from argparse import SUPPRESS, Action, ArgumentError, ArgumentParser
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from mastodon_update_check import __version__

Subparsers = Any  # argparse does not name their type


def build_parser(*, is_status: bool) -> ArgumentParser:
    """Return the parser; with `is_status` the exit code of wrong usage is the one of monitoring plugins, 3."""

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(3 if is_status else 2, f"{self.prog}: {message}; see `{self.prog} --help`\n")

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
        "78 the settings are wrong (`status`: 3).",
    )
    parser.add_argument("--version", action="version", version=f"mastodon-update-check {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (
        *(_add_run, _add_check, _add_status, _add_recipients, _add_doctor, _add_route, _add_send_test, _add_explain),
        *(_add_retry, _add_skip, _add_setup, _add_demo, _add_ledger, _add_unit_commands),
    ):
        add(commands)
    return parser


def _add_data_command(commands: Subparsers, name: str, **words: str) -> ArgumentParser:
    """Add a command that shows data, as text or as JSON."""
    command: ArgumentParser = commands.add_parser(name, **words)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    command.add_argument("-v", "--verbose", action="store_true", help="show details and log lines on a terminal, too")
    return command


def _add_run(commands: Subparsers) -> None:
    commands.add_parser(
        "run",
        help="run the daemon: check every 30 minutes and notify",
        description="Runs until it is stopped: checks at once and then every 30 minutes (UPDATE_CHECK_INTERVAL), and "
        "delivers what is due. A reload (SIGHUP) makes it read the settings again.",
        epilog="To try it by hand: `mastodon-update-check run`, and Ctrl-C to end it.",
    )


def _add_check(commands: Subparsers) -> None:
    check = _add_data_command(
        commands,
        "check",
        help="check once, and try every due message once (for timers and cron)",
        description="Asks the update server once, and makes one attempt at every message that is due. It is for "
        "timers and cron, where no daemon runs; it may also run beside the daemon.",
        epilog="Exit status 1: the check failed; 75: it worked, but some messages are not delivered yet.",
    )
    ways = check.add_mutually_exclusive_group()
    ways.add_argument("--dry-run", action="store_true", help="only show what would be sent, and to whom")
    ways.add_argument("--mark", action="store_true", help="mark pending notices as sent without sending them")


def _add_status(commands: Subparsers) -> None:
    status = _add_data_command(
        commands,
        "status",
        help="show the status of the server; exit status of a monitoring plugin",
        description="Shows the status of the server, from the ledger: the installed version, pending releases, the "
        "end of support, the last check and the next one, and undelivered messages.",
        epilog="Exit status 0: nothing to do; 1: a patch of the own branch is pending, support ends within two weeks, "
        "or a message has been undelivered for 6 hours; 2: an urgent update, or out of support; 3: unknown, no check "
        "has worked for a while, or the settings are wrong. With --alive: 0 if the daemon is running, else 1.",
    )
    status.add_argument("--alive", action="store_true", help="only say whether the daemon is running")


def _add_recipients(commands: Subparsers) -> None:
    _add_data_command(
        commands,
        "recipients",
        help="list all recipients, the notices that each one gets, and why",
        description="Lists all recipients: Mastodon's DevOps users, addresses, webhooks and the log; and the members "
        "of staff who are not notified, each with the reason.",
        epilog="Exit status 1: Mastodon's database could not be asked.",
    )


def _add_doctor(commands: Subparsers) -> None:
    _add_data_command(
        commands,
        "doctor",
        help="diagnose problems and suggest fixes (read-only)",
        description="Tries everything that is configured: the installed version, the update server and its clock, the "
        "database, the mail server up to the point where a mail would be sent, webhooks without posting, heartbeat, "
        "metrics and status page, the ledger, the daemon. Problems come first, each with a fix. --verbose also lists "
        "every setting and where it comes from.",
        epilog="Exit status 1: there is at least one error.",
    )


def _add_route(commands: Subparsers) -> None:
    route = _add_data_command(
        commands,
        "route",
        help="show which releases to deploy in which order, and the steps (read-only)",
        description="Shows the way from the installed version to the newest release, and the steps to the first "
        "release on it, for the way in which this server was installed (UPDATE_CHECK_INSTALL_KIND).",
        epilog="Exit status 1: the installed version or the newer releases are unknown; 2: not on the route.",
    )
    route.add_argument(
        "version", metavar="VERSION", nargs="?", help="show the steps to this release or branch instead of the first"
    )


def _add_send_test(commands: Subparsers) -> None:
    send_test = _add_data_command(
        commands,
        "send-test",
        help="send a test message through every sink, and show each result",
        description="Sends one test message through every sink, or through those that are named, and prints each "
        "reply. The mail goes to the operator (UPDATE_CHECK_OPERATOR; without it, to every mail recipient). The "
        "ledger is not changed: pending notices are sent as if there had been no test.",
        epilog="Exit status 1: a message was not accepted, or nobody would be reached but the log. Example: "
        "`mastodon-update-check send-test email`.",
    )
    send_test.add_argument("sinks", metavar="SINK", nargs="*", help="email, log, webhook, …; all that are configured")
    send_test.add_argument("--everyone", action="store_true", help="mail every recipient, not the operator alone")


def _add_explain(commands: Subparsers) -> None:
    explain = _add_data_command(
        commands,
        "explain",
        help="show why someone was or was not notified, and when",
        description="Shows, from the ledger, for a release or branch: who was notified when, who was not, and why; "
        "for a person or a sink: which notices they got, which not, and why. --verbose adds every attempt.",
        epilog="Examples: `explain 4.5.20`, `explain 4.5` (its end of support), `explain ops@social.example`, "
        "`explain alice`, `explain webhook`.",
    )
    explain.add_argument("about", metavar="VERSION|ADDRESS", help="a release, a branch, an address, a user or a sink")


def _add_retry(commands: Subparsers) -> None:
    retry = _add_data_command(
        commands,
        "retry",
        help="try undelivered messages now, instead of when they are due",
        description="Makes undelivered messages due now, also those that were refused, and wakes sinks that wait. A "
        "running daemon tries them within seconds.",
        epilog="Examples: `retry`, `retry email`, `retry 4.5.20`, `retry ops@social.example`.",
    )
    retry.add_argument(
        "about", metavar="SINK|VERSION|ADDRESS", nargs="?", help="only messages for this sink or person, or about this"
    )
    retry.add_argument(
        "--stopped", action="store_true", help="also webhooks that asked never to be called again (HTTP 410)"
    )


def _add_skip(commands: Subparsers) -> None:
    skip = _add_data_command(
        commands,
        "skip",
        help="ignore a release; without an argument, list ignored releases",
        description="Ignores a release: no notices and reminders about it any more, and no alarm of `status`. Without "
        "VERSION it lists the ignored releases. With --until it is only postponed: reminders and alarms begin again on "
        "that day.",
        epilog="A release that turns urgent later is notified all the same. Older releases of its branch are ignored "
        "with it. It works while the daemon is running.",
    )
    skip.add_argument("versions", metavar="VERSION", nargs="*", help="a pending release, as in 4.5.20")
    ways = skip.add_mutually_exclusive_group()
    ways.add_argument("--until", metavar="DATE", help="only no reminders and no alarm until then (2026-12-24)")
    ways.add_argument("--undo", action="store_true", help="stop ignoring it")


def _add_setup(commands: Subparsers) -> None:
    setup = commands.add_parser(
        "setup",
        help="set this program up beside the Mastodon of this host; for root",
        description="Finds Mastodon on this host, shows a plan, asks, and carries it out: a database login that can "
        "only read the list of staff, the settings, what the service may see, and its start. It neither runs nor "
        "changes anything of Mastodon's. It can be run again.",
        epilog="Exit status 1: it could not go on; what it had done stays, and `setup --undo` takes it back.",
    )
    ways = setup.add_mutually_exclusive_group()
    ways.add_argument("--dry-run", action="store_true", help="only show what would be done")
    ways.add_argument("--print-sql", action="store_true", help="only print the SQL of the login, to run it elsewhere")
    ways.add_argument("--undo", action="store_true", help="take back what setup has done, and nothing else")
    setup.add_argument("--yes", action="store_true", help="answer every question with yes; the first time with --tell")
    setup.add_argument("--tell", choices=("now", "mark"), help="send pending notices now, or mark them as sent")
    setup.add_argument(
        "--release-details",
        choices=("github", "off"),
        help="whether files of new releases may be fetched from GitHub (raw.githubusercontent.com), instead of asking",
    )
    setup.add_argument("--root", metavar="PATH", type=Path, help="Mastodon's tree, if there are several or none found")
    setup.add_argument("--name", metavar="NAME", default="", help="set up a further server on this host by this name")
    setup.add_argument("--timer", action="store_true", help="check by a timer instead of a resident service")
    setup.add_argument("--no-test", action="store_true", help="send no test message")
    setup.add_argument("--no-start", action="store_true", help="prepare everything, but start and send nothing")


def _add_demo(commands: Subparsers) -> None:
    demo = commands.add_parser(
        "demo",
        help="show a demonstration of half a minute; needs no Mastodon and no settings",
        description="Runs the daemon beside a made-up Mastodon server, with an update server and a mail server on "
        "loopback, and shows the mails as they arrive. Everything is in a temporary directory, which is removed.",
    )
    demo.add_argument("--unless-set-up", action="store_true", help=SUPPRESS)  # for `make run`


def _add_ledger(commands: Subparsers) -> None:
    ledger = commands.add_parser(
        "ledger",
        help="back up, copy or replace the ledger, which remembers all notices",
        description="Manages the ledger, which remembers every notice that was sent or is still to be sent.",
    )
    actions = ledger.add_subparsers(dest="action", metavar="ACTION", required=True)
    backup = _add_action(actions, "backup", "copy the ledger to a new file, also while the daemon is running")
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file")
    copy = _add_action(actions, "copy", "copy a ledger that is not in use, also between SQLite and PostgreSQL")
    copy.add_argument("source", metavar="FROM", help="a path, or a postgresql:// URL")
    copy.add_argument("target", metavar="TO", help="the same; a ledger that is missing there, or empty")
    _add_action(actions, "new", "set the ledger aside and create a new one: everything pending is sent again")


def _add_action(actions: Subparsers, name: str, words: str) -> ArgumentParser:
    """Add an action whose own help is its line in the list of actions."""
    action: ArgumentParser = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    return action


def _add_unit_commands(commands: Subparsers) -> None:
    # Units call these two: they are not listed.
    commands.add_parser("check-settings", description="Read the settings and report errors; for units.")
    copying = commands.add_parser("copy-settings", description="Copy the settings that units need of Mastodon's.")
    copying.add_argument("name", metavar="NAME", nargs="?", default="", help="the further server whose settings it is")
