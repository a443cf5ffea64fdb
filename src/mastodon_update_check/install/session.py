"""One run of `setup`: look, decide, show, ask, do, and have the administrator decide about pending notices."""

import tempfile
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from mastodon_update_check import terminal
from mastodon_update_check.config import load_settings
from mastodon_update_check.config.sources import ENV_FILE, ROOT
from mastodon_update_check.config.variables import FILE_BYTES
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SettingsError, SetupError
from mastodon_update_check.files import read_own
from mastodon_update_check.host.machine import Machine
from mastodon_update_check.host.service import CONFIG
from mastodon_update_check.host.systemd import show_unit
from mastodon_update_check.install.copying import DATABASE, excerpt, values_of
from mastodon_update_check.install.database import find_server, read_server
from mastodon_update_check.install.dialogue import TIMER, Dialogue, show
from mastodon_update_check.install.discovery import examine, find_roots
from mastodon_update_check.install.plan import DETAILS, SetupPlan, find_role, has_block, undo
from mastodon_update_check.install.steps import DAEMON_RELOAD, SetupStep, Steps
from mastodon_update_check.terminal import say

_ONLY_THERE: Final = "_FILE"
"""A secret's file may exist for the service only, as a credential."""


class SetupSession:
    """One run, on one host, with one administrator; every method raises `SetupError` when it cannot go on."""

    def __init__(self, machine: Machine, options: Namespace, program: Sequence[str]) -> None:
        """`program` is this program's own command, by which it gets answers from the service's sandbox."""
        if options.name and options.timer:
            raise SetupError("only the first server of a host can be checked by a timer; leave out --timer or --name")
        self._machine = machine
        self._options = options
        self._place = machine.place(options.name)
        self._config = _read(self._place.config_file)
        self._steps = Steps(machine, self._place)
        self._dialogue = Dialogue(machine, self._place, options, program)

    def set_up(self) -> bool:
        """Set up; return whether everything worked."""
        self._require_installed()
        plan = self._plan()
        units = [self._place.unit, *([] if self._place.name else [TIMER])]
        asked = {unit: self._machine.run(("systemctl", "is-enabled", "--quiet", unit)) for unit in units}
        enabled = [unit for unit, answer in asked.items() if answer.has_worked]
        started = TIMER if self._options.timer or TIMER in enabled else self._place.unit
        start = (
            *(self._steps.systemctl("disable", "--now", unit) for unit in enabled if unit != started),
            *(self._steps.systemctl(word, started) for word in ("enable", "restart")),
        )
        say(f"Mastodon is in {plan.installation.root}. setup will:")
        preparations = tuple(plan.preparations(self._steps))
        self._list((*preparations, *(() if self._options.no_start else start)))
        errors, disabled = _check_settings(plan)
        for remark in (*plan.remarks(), *(f"{sentence}." for sentence in disabled)):
            say(f"Note: {remark}")
        obstacles = (*plan.obstacles(), *errors)
        if self._options.dry_run:
            for obstacle in obstacles:
                say(f"Setup would stop here: {obstacle}.")
            say("\nNothing was changed.")
            return not obstacles
        if obstacles:
            raise SetupError("nothing was changed:\n" + "\n".join(f"  - {obstacle}" for obstacle in obstacles))
        if not enabled and self._options.yes and not self._options.no_start and not self._options.tell:
            raise SetupError("--yes needs --tell now or --tell mark the first time: are pending notices sent or not?")
        if not self._dialogue.confirm("Continue?"):
            say("Nothing was changed.")
            return False
        self._take(preparations)
        if self._options.no_start:
            say(f"Everything is prepared; nothing is started. To go on: {self._dialogue.words('setup')}")
            return True
        recipients, has_worked = self._dialogue.settle(is_first=not enabled)
        self._take(start)
        self._dialogue.say_how_to_go_on(started, recipients)
        return has_worked

    def undo(self) -> bool:
        """Undo what was done here; return whether everything worked."""
        if not has_block(self._config):
            say("There is nothing to undo: setup has not been run here.")
            return True
        *most, last = undo(self._config, self._place, list(map(find_role, self._others())), self._steps, TIMER)
        say("setup --undo will:")
        self._list((*most, last))
        if self._options.dry_run or not self._dialogue.confirm("Continue?"):
            say("Nothing was changed.")
            return bool(self._options.dry_run)
        failures = 0
        for step in most:
            try:
                self._take([step])
            except SetupError as error:
                failures += 1
                say(f"not done: {error}")
        if failures:
            again = self._dialogue.words("setup --undo")
            say(f"The rest is done. When that is corrected, run `{again}` again.")
            return False
        self._take([last])
        say("Done. The ledger stays: it remembers which notices were sent.")
        return True

    def _require_installed(self) -> None:
        unit, program = self._place.unit, self._dialogue.program[0]
        shown = show_unit(unit, "LoadState,User,ExecStart", self._machine.run)
        if shown is None or shown.one("LoadState") != "loaded" or self._machine.service_gid is None:
            raise SetupError(
                f"systemd has no unit {unit} with a user of its own: install the Debian package, which brings both. A "
                "checkout cannot be set up: docs/INSTALL.md (Without the package) says how to run it"
            )
        started = shown.one("ExecStart")
        if started and f"path={program} " not in started:
            raise SetupError(f"{unit} starts another program than {program}: run the one that is installed")

    def _plan(self) -> SetupPlan:
        installation = examine(self._machine, self._choose())
        wanted = read_server(installation.variables)
        return SetupPlan(
            place=self._place,
            installation=installation,
            server=wanted if isinstance(wanted, str) else find_server(self._machine, wanted),
            config=self._config,
            drop_ins={path: _read(path) for path in self._place.drop_ins},
            release_details=self._ask_for_details(),
        )

    def _ask_for_details(self) -> str:
        """Return `github` if release details may be fetched from there; asked once, and never answered by `--yes`."""
        answer = self._options.release_details or values_of(self._config).get(DETAILS, "")
        question = (
            "Messages can say what a release fixes and what the upgrade takes. For that, files of each new release "
            "are fetched once from raw.githubusercontent.com (GitHub). Allow it?"
        )
        if answer or has_block(self._config) or self._options.dry_run or self._options.yes:
            return answer or "off"
        return "github" if self._dialogue.confirm(question) else "off"

    def _choose(self) -> Path:
        configured = values_of(self._config).get(ROOT)
        if named := self._options.root or (Path(configured) if configured else None):
            return named
        taken = {values_of(text).get(ROOT) for text in self._others()}
        found = [root for root in find_roots(self._machine) if str(root) not in taken]
        if not found:
            raise SetupError(
                "no Mastodon was found on this host: neither by a unit such as mastodon-web.service nor in "
                "/home/mastodon/live or /var/www/mastodon*/live. Name its tree with --root PATH. If it runs in "
                "containers, this program runs in one beside it, without setup: docs/INSTALL.md says how"
            )
        if len(found) > 1:
            names = self._options.name or "", "second", *["another"] * len(found)
            ways = [
                f"\n  mastodon-update-check setup --root {clean(str(root))}{f' --name {name}' if name else ''}"
                for root, name in zip(found, names, strict=False)
            ]
            raise SetupError(
                "there are several Mastodons on this host. Set up one after the other, each further one with a name of "
                f"your choice:{''.join(ways)}"
            )
        return found[0]

    def _others(self) -> list[str]:
        """Return the settings files of other services on this host that `setup` has written into."""
        files = sorted(self._place.config_file.parent.glob("*.env"))
        return [text for file in files if file != self._place.config_file and has_block(text := _read(file))]

    def _list(self, steps: Iterable[SetupStep]) -> None:
        """Print the plan: files of one purpose in one line, without `daemon-reload`; a dry run shows their lines."""
        lines: dict[str, list[str]] = {}
        for step in steps:
            if step.text != DAEMON_RELOAD:
                lines.setdefault(step.text, []).extend([str(step.path)] if step.path else [])
        for text, paths in lines.items():
            say(f"  - {text}{': ' if paths else ''}{', '.join(paths)}")
        for step in steps if self._options.dry_run else ():
            if step.added:
                say(f"\n{step.path}:")
                show(step.added)

    def _take(self, steps: Iterable[SetupStep]) -> None:
        for step in steps:
            try:
                with terminal.progress(f"write {step.path}" if step.path else step.text):
                    said = step.take()
            except OSError as error:
                raise SetupError(f"{step.path or step.text}: {clean(str(error))}") from error
            if said:
                say(f"Note: {said}")


def _read(path: Path) -> str:
    try:
        return read_own(path, FILE_BYTES)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read: {clean(str(error))}") from error


def _check_settings(plan: SetupPlan) -> tuple[Sequence[str], Sequence[str]]:
    """Return the errors that keep the service from starting, and what the copy of Mastodon's settings disables."""
    lines = excerpt(plan.installation.files.assignments, with_login=DATABASE not in values_of(plan.new_config))
    with tempfile.TemporaryDirectory() as directory:
        own, mastodons = Path(directory, "config.env"), Path(directory, "mastodon.env")
        own.write_text(plan.new_config, errors="surrogateescape")
        mastodons.write_text(f"#\n{lines}", errors="surrogateescape")

        def at_its_place(sentence: object) -> str:
            text = str(sentence).replace(str(own), str(plan.place.config_file))
            return text.replace(str(mastodons), str(plan.place.mastodon_copy))

        try:
            settings = load_settings({CONFIG: str(own), ENV_FILE: str(mastodons)})
        except SettingsError as error:
            return [at_its_place(problem) for problem in error.problems if _ONLY_THERE not in problem], ()
        return (), list(map(at_its_place, settings.disabled))
