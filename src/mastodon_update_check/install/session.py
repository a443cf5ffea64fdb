"""One run of `setup`: look, decide, show, ask, do, and have the administrator decide about pending notices."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mastodon_update_check.config import load_settings
from mastodon_update_check.config.found import FILE_BYTES
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SettingsError, SetupError
from mastodon_update_check.files.own import read_own
from mastodon_update_check.host.machine import SERVICE_USER, Account, Machine, Place
from mastodon_update_check.host.service import CONFIG
from mastodon_update_check.host.systemd import show_unit
from mastodon_update_check.install.copying import COPY, DATABASE, ROOT, excerpt, read_env_files
from mastodon_update_check.install.database import find_server, read_server
from mastodon_update_check.install.decisions import DETAILS, SetupPlan, Situation, decide, undo
from mastodon_update_check.install.dialogue import TIMER, Console, Options, OwnCommands
from mastodon_update_check.install.discovery import Installation, find_installations, require
from mastodon_update_check.install.manifest import Manifest, keep_manifest, merge, read_manifest
from mastodon_update_check.install.steps import DAEMON_RELOAD, Step, WriteFile, perform
from mastodon_update_check.install.texts import own_values_of
from mastodon_update_check.terminal import progress

_NAMES: Final = ("", "second", "third", "another")
"""Suggestions for the services of a host."""
_ONLY_THERE: Final = "_FILE"
"""A secret's file may exist for the service only, as a credential."""


class SetupSession:
    """One run, on one host, with one administrator; every method raises `SetupError` when it cannot go on."""

    def __init__(self, machine: Machine, console: Console, options: Options, program: Sequence[str]) -> None:
        """`program` is this program's own command, by which it gets answers from the service's sandbox."""
        if options.name and options.timer:
            raise SetupError("only the first server of a host can be checked by a timer; leave out --timer or --name")
        self._machine = machine
        self._say, self._show, self._confirm = console.say, console.show, console.confirm
        self._is_silent = console.is_silent
        self._options = options
        self._place = machine.place(options.name)
        self._own = OwnCommands(machine, self._place, console, program)

    def set_up(self) -> bool:
        """Set up; return whether everything worked."""
        account = self._require_installed()
        before = read_manifest(self._place.manifest)
        plan = self._decide(before)
        self._say(f"Mastodon is in {plan.manifest.root}. setup will:")
        self._list((*plan.preparations, *(plan.start if self._options.starts else ())))
        errors, disabled = self._check_settings(plan)
        for remark in (*plan.remarks, *(f"{sentence}." for sentence in disabled)):
            self._say(f"Note: {remark}")
        obstacles = (*plan.obstacles, *errors)
        if self._options.dry_run:
            for obstacle in obstacles:
                self._say(f"Setup would stop here: {obstacle}.")
            self._say("\nNothing was changed.")
            return not obstacles
        if obstacles:
            raise SetupError("nothing was changed:\n" + "\n".join(f"  - {obstacle}" for obstacle in obstacles))
        is_first = before is None or not before.is_settled
        if is_first and self._is_silent and self._options.starts and not self._options.tell:
            raise SetupError("--yes needs --tell now or --tell mark the first time: are pending notices sent or not?")
        if not self._confirm("Continue?"):
            self._say("Nothing was changed.")
            return False
        manifest = merge(before, plan.manifest)
        keep_manifest(manifest, self._machine, self._place, account)
        self._do(plan.preparations, account)
        if not self._options.starts:
            self._say(f"Everything is prepared; nothing is started. To go on: {self._own.words('setup')}")
            return True
        recipients, has_worked = self._own.settle(self._options, is_first=is_first)
        keep_manifest(replace(manifest, is_settled=True), self._machine, self._place, account)
        self._do(plan.start, account)
        self._own.say_how_to_go_on(plan.manifest.started, recipients)
        return has_worked

    def undo(self) -> bool:
        """Undo what was done here; return whether everything worked."""
        manifest = read_manifest(self._place.manifest)
        if manifest is None:
            self._say("There is nothing to undo: setup has not been run here.")
            return True
        account = self._machine.service_account or Account(name="root", uid=0, gid=0)
        steps = undo(manifest, self._place, _read(self._place.config_file), self._others())
        self._say("setup --undo will:")
        self._list(steps)
        if self._options.dry_run or not self._confirm("Continue?"):
            self._say("Nothing was changed.")
            return self._options.dry_run
        *most, last = steps
        failures = 0
        for step in most:
            try:
                self._do([step], account)
            except SetupError as error:
                self._say(f"not done: {error}")
                failures += 1
        if failures:
            self._say(f"The rest is done. When that is corrected, run `{self._own.words('setup --undo')}` again.")
            return False
        self._do([last], account)
        self._say("Done. The ledger stays: it remembers which notices were sent.")
        return True

    def _require_installed(self) -> Account:
        account, unit, program = self._machine.service_account, self._place.unit, self._own.program[0]
        shown = show_unit(unit, "LoadState,User,ExecStart", self._machine.run)
        if shown is None or shown.one("LoadState") != "loaded" or shown.one("User") in {"", "root", "0"}:
            raise SetupError(
                f"systemd has no unit {unit} with a user of its own: install the Debian package, which brings it. A "
                "checkout cannot be set up: docs/INSTALL.md (Without the package) says how to run it"
            )
        if account is None:
            raise SetupError(f"there is no user {SERVICE_USER}: install the Debian package again, which creates it")
        started = shown.one("ExecStart")
        if started and f"path={program} " not in started:
            raise SetupError(f"{unit} starts another program than {program}: run the one that is installed")
        return account

    def _decide(self, before: Manifest | None) -> SetupPlan:
        config = _read(self._place.config_file)
        installation = self._choose(before, config)
        wanted = read_server(installation.variables)
        server = wanted if isinstance(wanted, str) else find_server(self._machine, wanted)
        former = before.server if before else None
        is_named = former is not None and not isinstance(wanted, str) and former.name == wanted.name
        units = filter(None, (self._place.unit, self._place.once_unit, self._place.path_unit))
        situation = Situation(
            installation=installation,
            server=server,
            config=config,
            drop_ins={path: _read(path) for path in map(self._place.drop_in, units)},
            former_server=former if is_named else None,
            release_details=self._ask_for_details(before, config),
        )
        is_by_timer = self._options.timer or (before is not None and before.started == TIMER)
        started = TIMER if is_by_timer else self._place.unit
        return decide(situation, self._place, started, before.started if before else "")

    def _ask_for_details(self, before: Manifest | None, config: str) -> str:
        """Return `github` if release details may be fetched from there; asked once, and never answered by `--yes`."""
        answer = self._options.release_details or (before.release_details if before else "")
        is_asked = not (answer or DETAILS in own_values_of(config) or self._options.dry_run or self._is_silent)
        question = (
            "Messages can say what a release fixes and what the upgrade takes. For that, files of each new release "
            "are fetched once from raw.githubusercontent.com (GitHub). Allow it?"
        )
        return "github" if answer == "github" or (is_asked and self._confirm(question)) else ""

    def _choose(self, before: Manifest | None, config: str) -> Installation:
        configured = own_values_of(config).get(ROOT, "")
        named = self._options.root or (before.root if before else None) or (Path(configured) if configured else None)
        if named is not None:
            return require(self._machine, named)
        taken = {other.root for other in self._others()}
        found = [one for one in find_installations(self._machine) if one.root not in taken]
        if not found:
            raise SetupError(
                "no Mastodon was found on this host: neither by a unit such as mastodon-web.service nor in "
                "/home/mastodon/live or /var/www/mastodon*/live. Name its tree with --root PATH. If it runs in "
                "containers, this program runs in one beside it, without setup: docs/INSTALL.md says how"
            )
        if len(found) > 1:
            raise SetupError(
                "there are several Mastodons on this host. Set up one after the other, each further one with a name of "
                "your choice:\n" + "\n".join(self._ways(found))
            )
        return found[0]

    def _ways(self, found: Iterable[Installation]) -> Iterator[str]:
        """Yield a command for each: the first service of a host needs no name."""
        for number, one in enumerate(found):
            name = self._options.name or _NAMES[min(number, len(_NAMES) - 1)]
            tail = f" --name {name}" if name else ""
            yield f"  mastodon-update-check setup --root {clean(str(one.root))}{tail}"

    def _others(self) -> list[Manifest]:
        """Return the records of other servers on this host."""
        files = set(self._place.settings_directory.glob("setup*.json")) - {self._place.manifest}
        return [manifest for file in sorted(files) if (manifest := read_manifest(file)) is not None]

    def _check_settings(self, plan: SetupPlan) -> tuple[Sequence[str], Sequence[str]]:
        files = read_env_files(self._machine, plan.manifest.root)
        lines = excerpt(files.assignments, with_login=DATABASE not in plan.config)
        return _check_settings(self._place, plan.config, f"#\n{lines}")

    def _list(self, steps: Iterable[Step]) -> None:
        """Print the plan: files of one purpose in one line, without `daemon-reload`; a dry run shows their lines."""
        lines: dict[str, list[str]] = {}
        for step in steps:
            if isinstance(step, WriteFile):
                lines.setdefault(step.purpose, []).append(str(step.path))
            elif step != DAEMON_RELOAD:
                lines[str(step)] = []
        for text, paths in lines.items():
            self._say(f"  - {text}{': ' if paths else ''}{', '.join(paths)}")
        for step in steps if self._options.dry_run else ():
            if isinstance(step, WriteFile) and step.added:
                self._say(f"\n{step.path}:")
                self._show(step.added)

    def _do(self, steps: Iterable[Step], account: Account) -> None:
        for step in steps:
            with progress(str(step)):
                said = perform(step, self._machine, self._place, account)
            if said:
                self._say(f"Note: {said}")


def _read(path: Path) -> str:
    try:
        return read_own(path, FILE_BYTES)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} cannot be read: {clean(str(error))}") from error


def _check_settings(place: Place, config: str, copied: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the errors that keep the service from starting, and what Mastodon's settings disable.

    Args:
        place: where the files will be.
        config: the content of our own file.
        copied: the content of the copy of Mastodon's settings.
    """
    with tempfile.TemporaryDirectory() as directory:
        own, mastodons = Path(directory, "config.env"), Path(directory, "mastodon.env")
        own.write_text(config, errors="surrogateescape")
        mastodons.write_text(copied, errors="surrogateescape")

        def at_its_place(sentence: object) -> str:
            text = str(sentence).replace(str(own), str(place.config_file))
            return text.replace(str(mastodons), str(place.mastodon_copy))

        try:
            settings = load_settings({CONFIG: str(own), COPY: str(mastodons)})
        except SettingsError as error:
            return [at_its_place(problem) for problem in error.problems if _ONLY_THERE not in problem], ()
        return (), list(map(at_its_place, settings.disabled))
