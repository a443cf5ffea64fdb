"""The dialogue: questions, and before the first start recipients, pending notices and a test message.

This program's own commands give the answers. They run in the service's sandbox, so they find what the service finds.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from mastodon_update_check import terminal
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Machine, Place
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.terminal import say

TIMER: Final = "mastodon-update-check-once.timer"
_FATAL: Final = frozenset({74, 78})
"""Exit codes: the ledger cannot be used, the settings are wrong."""
_NAMED: Final = 8
_ANSWERS: Final = {"": True, "y": True, "yes": True, "n": False, "no": False}


def show(lines: Iterable[str]) -> None:
    """Print lines to be copied, not wrapped."""
    sys.stdout.write("".join(f"    {line}\n" for line in lines))


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Questions to an administrator about one service, and this program's own commands for that service."""

    machine: Machine
    place: Place
    options: Namespace
    """Of the command line (`cli.parser`)."""
    program: Sequence[str]

    def confirm(self, question: str) -> bool:
        """Ask a question whose default is yes; raise `SetupError` without a terminal."""
        if self.options.yes:
            return True
        if not sys.stdin.isatty():
            raise SetupError("standard input is not a terminal: give --yes, and --tell now or --tell mark")
        while True:
            sys.stdout.write(f"\n{terminal.fill(question)} [Y/n] ")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                raise SetupError("the question was not answered: standard input has ended")
            answer = _ANSWERS.get(line.strip().lower())
            if answer is not None:
                return answer

    def ask(self, *arguments: str, is_shown: bool = True) -> Finished:
        """Run one, and show its output; raise `SetupError` when the settings or the ledger cannot be used."""
        config = f"UPDATE_CHECK_CONFIG={self.place.config_file}"
        with terminal.progress(f"Running {arguments[0]}"):
            finished = self.machine.run(("env", config, "UPDATE_CHECK_LOG_LEVEL=critical", *self.program, *arguments))
        is_fatal = finished.code in _FATAL
        # The log sink's lines are on standard error; a person wants them only when something did not work.
        shown = (finished.out * (is_shown or is_fatal), finished.err * (not finished.has_worked))
        if text := "\n".join(part.rstrip("\n") for part in shown if part.strip()):
            say(text)
        if is_fatal:
            raise SetupError(f"nothing is started: correct this in {self.place.config_file}, and run setup again")
        return finished

    def settle(self, *, is_first: bool) -> tuple[str, bool]:
        """Show recipients and pending notices, let the administrator decide about these, send a test message.

        Returns the recipients, as a sentence, and whether everything worked. Raises `SetupError` when pending notices
        could not be marked as sent.
        """
        recipients, is_complete = self._recipients()
        say(f"\n{recipients}.")
        if not is_first and not self.options.tell:
            return recipients, is_complete
        if not self._wants_notices():
            if not is_complete:
                raise SetupError("the recipients are not known, so nothing is marked: correct that, run setup again")
            if not self.ask("check", "--mark").has_worked:
                raise SetupError("pending notices could not be marked as sent, so nothing is started: run setup again")
        wants_test = not self.options.no_test and self.confirm("Send a test message through every sink?")
        return recipients, is_complete and (not wants_test or self.ask("send-test").has_worked)

    def words(self, command: str) -> str:
        """Return a command as an administrator types it."""
        words = f"mastodon-update-check {command}"
        if not self.place.name:
            return words
        if command.startswith("setup"):
            return f"{words} --name {self.place.name}"
        return f"UPDATE_CHECK_CONFIG={self.place.config_file} {words}"

    def say_how_to_go_on(self, started: str, recipients: str) -> None:
        """Name the recipients, and the commands that an administrator needs next."""
        is_by_timer = started == TIMER
        unit = self.place.once_unit if is_by_timer else started
        state = "A timer starts a check every half hour" if is_by_timer else f"{started} is running"
        uses = {
            self.words("status"): "whether an update is pending",
            self.words("doctor"): "diagnose problems",
            f"journalctl -u {unit}": "the log",
            **({} if is_by_timer else {f"systemctl reload {started}": f"after a change of {self.place.config_file}"}),
        }
        widest = max(map(len, uses))
        say(f"\n{state}. {recipients}. Useful commands:")
        show([f"{command:{widest}}  # {use}" for command, use in uses.items()])

    def _recipients(self) -> tuple[str, bool]:
        answer, has_worked = self._query("recipients", "--json")
        if "recipients" not in answer:
            return "It is not known who will be notified", False
        sentence = _describe_recipients(answer["recipients"])
        for warning in answer.get("warnings", ()):
            say(f"Note: {clean(str(warning))}.")
        if answer.get("error"):
            sentence += f" (Mastodon's staff is not known: {clean(str(answer['error']))})"
        return sentence, has_worked

    def _wants_notices(self) -> bool:
        """Show the pending releases, and return whether they are notified now, instead of being marked as sent."""
        answer, has_worked = self._query("check", "--dry-run", "--json")
        updates = answer.get("updates", [{"version": "not known", "urgent": False}])
        pending = [clean(str(one["version"]), 60) + " (urgent)" * bool(one["urgent"]) for one in updates]
        say(f"Pending: {', '.join(pending) or 'nothing'}.")
        if self.options.tell or (has_worked and answer.get("planned") == 0):
            return bool(self.options.tell != "mark")
        return self.confirm("Notify them now? (n: mark this as sent instead)")

    def _query(self, *arguments: str) -> tuple[Mapping[str, Any], bool]:
        """Return the JSON object that a command prints, empty if it prints something else, and whether it worked."""
        finished = self.ask(*arguments, is_shown=False)
        answer = None
        with suppress(ValueError):
            answer = json.loads(finished.out)
        return answer if isinstance(answer, dict) else {}, finished.has_worked


def _describe_recipients(found: Sequence[Mapping[str, Any]]) -> str:
    mails = [clean(str(one["name"] or one["address"]), 60) for one in found if one["sink"] == "email"]
    more = f" and {len(mails) - _NAMED} more" if len(mails) > _NAMED else ""
    others = sorted({clean(str(one["sink"])) for one in found} - {"email", "log"})
    ways = [*([f"{', '.join(mails[:_NAMED])}{more} by email"] if mails else []), *others]
    if not ways:
        return (
            "No recipient will be notified, because there is neither a mail address nor a webhook (only the log has "
            "the notices): set SMTP_SERVER or UPDATE_CHECK_WEBHOOK_URL"
        )
    return f"Will be notified: {'; '.join(ways)}"
