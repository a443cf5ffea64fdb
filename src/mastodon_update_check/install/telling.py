"""Before the first start: who will be told, what is pending, whether they are told it now; and a test.

All of it is asked of this program's own commands. As root's they act as the service: what they find, it finds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.names import Place
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install.console import Console

TIMER: Final = "mastodon-update-check-once.timer"
_SETTINGS_WRONG: Final = 78
_LEDGER_UNUSABLE: Final = 74


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the administrator has asked for."""

    name: str = ""
    root: Path | None = None
    tell: str = ""
    dry_run: bool = False
    timer: bool = False
    sends_test: bool = True
    starts: bool = True


class OwnCommands:
    """This program's own commands, for one service."""

    def __init__(self, machine: Machine, place: Place, console: Console, program: Sequence[str]) -> None:
        self._machine = machine
        self._place = place
        self._console = console
        self._program = tuple(program)

    def ask(self, *arguments: str) -> Finished:
        """Run one and show what it says.

        Raises:
            SetupError: the settings or the ledger cannot be used.
        """
        config = f"UPDATE_CHECK_CONFIG={self._place.config_file}"
        finished = self._machine.run(("env", config, "UPDATE_CHECK_LOG_LEVEL=critical", *self._program, *arguments), "")
        self._console.say("\n".join(filter(None, (finished.out.rstrip("\n"), finished.err.rstrip("\n")))))
        if finished.code in {_SETTINGS_WRONG, _LEDGER_UNUSABLE}:
            raise SetupError(f"nothing is started yet: mend this in {self._place.config_file}, and run setup again")
        return finished

    def words(self, command: str) -> str:
        """Return what an administrator types for one."""
        words = f"mastodon-update-check {command}"
        if not self._place.name:
            return words
        if command.startswith("setup"):
            return f"{words} --name {self._place.name}"
        return f"UPDATE_CHECK_CONFIG={self._place.config_file} {words}"

    def say_how_to_go_on(self, started: str) -> None:
        """Name the commands that an administrator needs next."""
        is_by_timer = started == TIMER
        reading = "the next check takes it" if is_by_timer else f"systemctl reload {started}"
        self._console.say(
            f"\n{'A timer starts a check every half hour.' if is_by_timer else 'It runs.'}\n"
            f"  {self.words('status')}    says how the server stands\n"
            f"  {self.words('doctor')}    says what is amiss\n"
            f"  journalctl -u {self._place.once_unit if is_by_timer else started}    shows what it does\n"
            f"Settings are in {self._place.config_file}; after a change: {reading}"
        )


def settle(own: OwnCommands, console: Console, options: Options, *, is_first: bool) -> bool:
    """Show who is told and what is pending, have it settled whether they are told now, send a test.

    Returns:
        Whether everybody could be asked for, and the test was accepted.

    Raises:
        SetupError: the settings are wrong, or what was to be marked as told is not.
    """
    console.say("\nWho is told:")
    who = own.ask("recipients")
    if not is_first and not options.tell:
        return who.has_worked
    console.say("\nWhat is pending:")
    own.ask("check", "--dry-run")
    question = "Tell them now what is pending, or mark it as told, for those who know it already?"
    if (options.tell or console.ask(question, ("now", "mark"))) == "mark":
        if not who.has_worked:
            raise SetupError("who is to be told is not known, so nothing can be marked: mend that, and run setup again")
        if not own.ask("check", "--mark").has_worked:
            raise SetupError("what is pending could not be marked as told, so nothing is started: run setup again")
    return _test(own, console, options) and who.has_worked


def _test(own: OwnCommands, console: Console, options: Options) -> bool:
    if not options.sends_test:
        return True
    if console.ask("Send a test message by every sink?", ("yes", "no")) == "no":
        return True
    return own.ask("send-test").has_worked
