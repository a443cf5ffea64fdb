"""The commands and their options, as `--help` shows them."""

import sys
from argparse import SUPPRESS, Action, ArgumentError, ArgumentParser
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from mastodon_update_check import __version__


def build_parser(*, is_status: bool) -> ArgumentParser:
    """Return the parser; with `is_status`, wrong usage leaves with what monitoring plugins have for unknown."""

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            self.print_usage(sys.stderr)
            self.exit(3 if is_status else 2, f"{self.prog}: {message}; see `{self.prog} --help`\n")

        # argparse has no other place for it before Python 3.14, whose `suggest_on_error` does it for every choice.
        def _check_value(self, action: Action, value: Any) -> None:  # noqa: ANN401 - as argparse has it
            if action.dest == "command" and value not in (action.choices or ()):
                near = get_close_matches(value, action.choices or (), n=1)
                hint = f": did you mean {near[0]}?" if near else ""
                raise ArgumentError(None, f"there is no command {value!r}{hint}")
            super()._check_value(action, value)

    parser = Parser(
        prog="mastodon-update-check",
        description="Tells the administrators of a Mastodon server, once and surely, when it needs an update.",
        epilog="Settings come from the environment, /etc/mastodon-update-check/config.env and Mastodon's own "
        ".env.production. Every command leaves with 0 when it is done, 2 for a wrong usage, 74 when the ledger cannot "
        "be used, 78 when the settings are wrong (`status`: 3).",
    )
    parser.add_argument("--version", action="version", version=f"mastodon-update-check {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_status(commands)
    _add_recipients(commands)
    _add_doctor(commands)
    _add_route(commands)
    _add_send_test(commands)
    _add_explain(commands)
    _add_retry(commands)
    _add_skip(commands)
    _add_setup(commands)
    _add_demo(commands)
    _add_ledger(commands)
    _add_copy_settings(commands)
    return parser


def _add_data_command(commands: Any, name: str, **words: str) -> ArgumentParser:  # noqa: ANN401 - argparse names no type
    """Add a command that shows data, as text or as JSON."""
    command: ArgumentParser = commands.add_parser(name, **words)
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return command


def _add_run(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    commands.add_parser(
        "run",
        help="run the daemon: check every 30 minutes and tell whoever wants to know",
        description="Runs until it is stopped: checks at once and then every 30 minutes (UPDATE_CHECK_INTERVAL), and "
        "delivers what is due. A reload (SIGHUP) makes it read the settings again.",
        epilog="To try it by hand: `mastodon-update-check run`, and Ctrl-C to end it.",
    )


def _add_demo(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    demo = commands.add_parser(
        "demo",
        help="show a demonstration of a minute; needs no Mastodon and no settings",
        description="Runs the daemon beside a made-up Mastodon server, with an update server and a mail server on "
        "loopback, and shows the mails as they arrive. Everything is in a temporary directory, which is removed.",
    )
    demo.add_argument("--unless-set-up", action="store_true", help=SUPPRESS)  # for `make run`


def _add_recipients(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    _add_data_command(
        commands,
        "recipients",
        help="list who would be told what, and why, or why not",
        description="Lists everybody who is told something: Mastodon's DevOps users, addresses, webhooks and the log; "
        "and the members of staff who are not told, each with the reason.",
        epilog="Exit code 1: Mastodon's database could not be asked.",
    )


def _add_doctor(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    _add_data_command(
        commands,
        "doctor",
        help="try everything that is configured, and say what to do; sends and changes nothing",
        description="Tries everything that is configured: where each setting comes from, the installed version, the "
        "update server and its clock, the database, the mail server as far as a mail would go, webhooks without "
        "posting, who watches, the ledger, the daemon. Each line is ok, a warning, or an error with what to do.",
        epilog="Exit code 1: something that is configured does not work.",
    )


def _add_copy_settings(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    # Only units call these two, so they are not listed.
    commands.add_parser("check-settings", description="Read the settings and report errors; for units.")
    copying = commands.add_parser("copy-settings", description="Copy what is needed of Mastodon's settings; for units.")
    copying.add_argument("name", metavar="NAME", nargs="?", default="", help="the further server whose settings it is")


def _add_check(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    check = _add_data_command(
        commands,
        "check",
        help="check once, and try every due message once (for timers and cron)",
        description="Asks the update server once, and makes one attempt at every message that is due. For timers and "
        "cron, where no daemon runs; it may run beside one, too.",
        epilog="Exit code 1: the check failed; 75: it worked, but some messages are not delivered yet.",
    )
    ways = check.add_mutually_exclusive_group()
    ways.add_argument("--dry-run", action="store_true", help="only show what would be sent, and to whom")
    ways.add_argument("--mark", action="store_true", help="mark what is to be told as told; nothing is sent")


def _add_status(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    status = _add_data_command(
        commands,
        "status",
        help="show how the server stands; exit codes as of a monitoring plugin",
        description="Shows how the server stands, from the ledger: what is installed and pending, until when there is "
        "support, when the last check was and the next is, and what is not delivered.",
        epilog="Exit code 0: nothing to do; 1: a patch of the own branch is pending, support ends within two weeks, or "
        "something has not been delivered for 6 hours; 2: an urgent update, or out of support; 3: unknown, no check "
        "has worked for a while, or the settings are wrong. With --alive: 1 if it does not.",
    )
    status.add_argument("--alive", action="store_true", help="only say whether the daemon does its work")


def _add_route(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    route = _add_data_command(
        commands,
        "route",
        help="show which releases to deploy in which order, and the steps; runs nothing",
        description="Shows the way from the installed version to the newest release, and the steps to the first "
        "release on it, for how this server was installed (UPDATE_CHECK_INSTALL_KIND). It runs none of them.",
        epilog="Exit code 1: the installed version or the newer releases are not known; 2: not on the route.",
    )
    route.add_argument(
        "version", metavar="VERSION", nargs="?", help="show the steps to this release, or series, instead of the first"
    )


def _add_send_test(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    send_test = _add_data_command(
        commands,
        "send-test",
        help="send a test message through every sink, and say what came of it",
        description="Sends one test message through every sink, or through those that are named, and prints what each "
        "other side answered. The mail goes to the operator (UPDATE_CHECK_OPERATOR; without it, to every mail "
        "recipient). Nothing is remembered: what is pending is told as if there had been no test.",
        epilog="Exit code 1: at least one was not accepted. Example: `mastodon-update-check send-test email`.",
    )
    send_test.add_argument("sinks", metavar="SINK", nargs="*", help="email, log, webhook, …; all that are configured")
    send_test.add_argument("--everyone", action="store_true", help="mail every recipient, not the operator alone")


def _add_explain(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    explain = _add_data_command(
        commands,
        "explain",
        help="say who was told what and when, who was not, and why",
        description="Tells, from the ledger, what was decided and what was tried: of a release, who was told of it, "
        "when, and who not and why; of a person or a sink, what they were told, and what not and why.",
        epilog="Examples: `explain 4.5.20`, `explain 4.5` (its end of support), `explain ops@social.example`, "
        "`explain alice`, `explain webhook`.",
    )
    explain.add_argument("about", metavar="VERSION|ADDRESS", help="a release, a branch, an address, a user or a sink")


def _add_retry(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    retry = _add_data_command(
        commands,
        "retry",
        help="try what is not delivered now, instead of when it is due",
        description="Makes what is not delivered due now, also what was refused, and wakes sinks that wait. A running "
        "daemon takes it up within seconds.",
        epilog="Examples: `retry`, `retry email`, `retry 4.5.20`, `retry ops@social.example`.",
    )
    retry.add_argument(
        "about", metavar="SINK|VERSION|ADDRESS", nargs="?", help="only what is for this sink or person, or about this"
    )
    retry.add_argument(
        "--stopped", action="store_true", help="also webhooks that asked never to be called again (HTTP 410)"
    )


def _add_setup(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    setup = commands.add_parser(
        "setup",
        help="set this program up beside the Mastodon of this host; for root",
        description="Finds Mastodon on this host, says what it will do, asks, and does it: a login to the database "
        "that can only ask who the staff are, the settings, what the service may see, and its start. It runs nothing "
        "of Mastodon's and changes nothing of Mastodon's. It can be run again.",
        epilog="Exit code 1: it could not go on; what it had done stays, and `setup --undo` takes it back.",
    )
    ways = setup.add_mutually_exclusive_group()
    ways.add_argument("--dry-run", action="store_true", help="only show what would be done")
    ways.add_argument("--print-sql", action="store_true", help="only print what makes the login, to run it elsewhere")
    ways.add_argument("--undo", action="store_true", help="take back what setup has done, and nothing else")
    setup.add_argument(
        "--yes",
        action="store_true",
        help="answer every question with yes; the first time, give --tell, too",
    )
    setup.add_argument("--tell", choices=("now", "mark"), help="tell what is pending now, or mark it as told")
    setup.add_argument(
        "--release-details",
        choices=("github", "off"),
        help="whether files of new releases may be fetched from GitHub (raw.githubusercontent.com), instead of asking",
    )
    setup.add_argument(
        "--root", metavar="PATH", type=Path, help="Mastodon's tree, where there are several or none is found"
    )
    setup.add_argument(
        "--name", metavar="NAME", default="", help="set up a further server on this host under this name"
    )
    setup.add_argument("--timer", action="store_true", help="check by a timer instead of a resident service")
    setup.add_argument("--no-test", action="store_true", help="send no test message")
    setup.add_argument("--no-start", action="store_true", help="prepare everything, but start and tell nothing")


def _add_skip(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    skip = _add_data_command(
        commands,
        "skip",
        help="no notices, reminders or alarms about a release any more; without one, list what is skipped",
        description="Passes a release over: nobody is told or reminded of it any more, and `status` raises no alarm. "
        "Without VERSION it lists what is skipped.",
        epilog="A release that turns urgent later is told after all. What is older in its branch is skipped with it. "
        "Works while the daemon runs.",
    )
    skip.add_argument("versions", metavar="VERSION", nargs="*", help="a release that is pending, as in 4.5.20")
    skip.add_argument("--undo", action="store_true", help="tell of it after all")


def _add_ledger(commands: Any) -> None:  # noqa: ANN401 - argparse names no type
    ledger = commands.add_parser(
        "ledger",
        help="look after the ledger, which remembers what was told",
        description="Looks after the ledger, which remembers what was told to whom, and what is still to be sent.",
    )
    actions = ledger.add_subparsers(dest="action", metavar="ACTION", required=True)
    backup = _add_action(actions, "backup", "copy the ledger to a new file, also while the daemon runs")
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file")
    copy = _add_action(actions, "copy", "copy a ledger that nobody works with, between SQLite and PostgreSQL too")
    copy.add_argument("source", metavar="FROM", help="a path, or a postgresql:// URL")
    copy.add_argument("target", metavar="TO", help="the same; a ledger that is missing there, or empty")
    _add_action(actions, "new", "set the ledger aside and begin a new one: all that is pending is told again")


def _add_action(actions: Any, name: str, words: str) -> ArgumentParser:  # noqa: ANN401 - argparse names no type
    """Add an action whose own help says what the list of actions says."""
    action: ArgumentParser = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    return action
