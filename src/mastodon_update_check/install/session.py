"""One run of `setup`: look, decide, show, ask, do, and have it settled who is told."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import parse
from mastodon_update_check.config.reading import FILE_BYTES, read_regular
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Account, Machine
from mastodon_update_check.host.names import NAME, RESERVED, SERVICE_USER, Place
from mastodon_update_check.host.systemd import show_unit
from mastodon_update_check.install.console import Console
from mastodon_update_check.install.copying import ROOT
from mastodon_update_check.install.database import find_server, read_database_name
from mastodon_update_check.install.decisions import Decision, decide, undo
from mastodon_update_check.install.discovery import find_installations, require
from mastodon_update_check.install.found import Installation, Situation
from mastodon_update_check.install.manifest import Manifest, read_manifest
from mastodon_update_check.install.performing import keep_manifest, perform
from mastodon_update_check.install.steps import Step
from mastodon_update_check.install.telling import TIMER, Options, OwnCommands, settle
from mastodon_update_check.install.texts import without_block

_NAMES: Final = ("", "second", "third", "another")
"""What the services of a host may be called."""


class Session:
    """One run, on one host, with one administrator; every method raises `SetupError` when it cannot go on."""

    def __init__(self, machine: Machine, console: Console, options: Options, program: Sequence[str]) -> None:
        """`program` is this program's own command, by which it asks itself as the service."""
        if options.name and (not NAME.fullmatch(options.name) or options.name in RESERVED):
            raise SetupError(
                "this name cannot be taken: small letters, digits, _ and - are allowed, and neither config nor mastodon"
            )
        if options.name and options.timer:
            raise SetupError("only the first server of a host can be checked by a timer; leave out --timer or --name")
        self._machine = machine
        self._console = console
        self._options = options
        self._place: Place = machine.place(options.name)
        self._own = OwnCommands(machine, self._place, console, program)

    def set_up(self) -> bool:
        """Set up; say whether all went well."""
        account = self._require_installed()
        before = read_manifest(self._place.manifest)
        decision = self._decide(before)
        self._show(decision)
        if self._options.dry_run:
            self._console.say("\nNothing was done.")
            return True
        is_first = before is None or not before.is_settled
        if is_first and self._console.is_silent and self._options.starts and not self._options.tell:
            raise SetupError("--yes needs --tell now or --tell mark the first time: who is to be told what is pending?")
        if self._console.ask("Do this?", ("yes", "no")) == "no":
            self._console.say("Nothing was done.")
            return False
        manifest = _merge(before, decision.manifest)
        keep_manifest(manifest, self._machine, self._place, account)
        self._do(decision.preparations, account)
        if not self._options.starts:
            self._console.say(f"Everything is prepared; nothing is started. Run `{self._own.words('setup')}` to go on.")
            return True
        has_worked = settle(self._own, self._console, self._options, is_first=is_first)
        keep_manifest(replace(manifest, is_settled=True), self._machine, self._place, account)
        self._do(decision.start, account)
        self._own.say_how_to_go_on(decision.manifest.started)
        return has_worked

    def undo(self) -> bool:
        """Take back what was done here; say whether all went well."""
        manifest = read_manifest(self._place.manifest)
        if manifest is None:
            self._console.say("There is nothing to undo: setup has done nothing here.")
            return True
        account = self._machine.service_account or Account(name="root", uid=0, gid=0)
        steps = undo(manifest, self._place, self._read(self._place.config_file), self._others())
        self._console.say("To be done:")
        self._list(steps)
        if self._options.dry_run or self._console.ask("Do this?", ("yes", "no")) == "no":
            self._console.say("Nothing was done.")
            return self._options.dry_run
        *most, last = steps
        failures = [failure for step in most if (failure := self._try(step, account))]
        if failures:
            self._console.say(f"The rest is done. Run `{self._own.words('setup --undo')}` again when that is mended.")
            return False
        self._do([last], account)
        self._console.say("Done. The ledger stays: it remembers who was told what.")
        return True

    def _require_installed(self) -> Account:
        account, unit = self._machine.service_account, self._place.unit
        if account is None:
            raise SetupError(f"there is no user {SERVICE_USER}: install the package, which makes it")
        shown = show_unit(unit, "LoadState,User", self._machine.run)
        if shown is None or shown.one("LoadState") != "loaded" or shown.one("User") in {"", "root", "0"}:
            raise SetupError(f"systemd has no unit {unit} with a user of its own: install the package, which brings it")
        return account

    def _decide(self, before: Manifest | None) -> Decision:
        config = self._read(self._place.config_file)
        installation = self._choose(before, config)
        wanted = read_database_name(installation.variables)
        server = wanted if isinstance(wanted, str) else find_server(self._machine, wanted)
        units = [unit for unit in (self._place.unit, self._place.once_unit) if unit]
        situation = Situation(
            installation=installation,
            server=None if isinstance(server, str) else server,
            no_server=server if isinstance(server, str) else "",
            config=config,
            drop_ins={path: self._read(path) for path in map(self._place.drop_in, units)},
        )
        is_by_timer = self._options.timer or (before is not None and before.started == TIMER)
        started = TIMER if is_by_timer else self._place.unit
        return decide(situation, self._place, started, before.started if before else "")

    def _choose(self, before: Manifest | None, config: str) -> Installation:
        named = self._options.root or (before.root if before else None) or _configured_root(config)
        if named is not None:
            return require(self._machine, named)
        taken = {other.root for other in self._others()}
        found = [one for one in find_installations(self._machine) if one.root not in taken]
        if not found:
            raise SetupError(
                "no Mastodon was found on this host: neither by a unit *-web.service nor in /home/mastodon/live or "
                "/var/www/mastodon*/live. Name its tree with --root PATH. Where it runs in containers, this program "
                "runs in one beside it, and needs no setup: docs/INSTALL.md says how"
            )
        if len(found) == 1:
            return found[0]
        raise SetupError(
            "there are several Mastodons on this host. Set up one after the other, each further one with a name of "
            "your choice:\n" + "\n".join(self._ways(found))
        )

    def _ways(self, found: Iterable[Installation]) -> Iterator[str]:
        """Yield a command for each: the first service of a host needs no name."""
        for number, one in enumerate(found):
            name = self._options.name or _NAMES[min(number, len(_NAMES) - 1)]
            tail = f" --name {name}" if name else ""
            yield f"  mastodon-update-check setup --root {clean(str(one.root))}{tail}"

    def _others(self) -> list[Manifest]:
        """Return what was done for other servers on this host."""
        files = set(self._place.settings_directory.glob("setup*.json")) - {self._place.manifest}
        return [manifest for file in sorted(files) if (manifest := read_manifest(file)) is not None]

    def _read(self, path: Path) -> str:
        try:
            return read_regular(path, FILE_BYTES)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise SetupError(f"{path} cannot be read: {clean(str(error))}") from error

    def _show(self, decision: Decision) -> None:
        self._console.say(f"Mastodon is in {decision.manifest.root}. To be done:")
        self._list(decision.preparations)
        if self._options.starts:
            self._list(decision.start)
        for remark in decision.remarks:
            self._console.say(f"Note: {remark}")

    def _list(self, steps: Iterable[Step]) -> None:
        for step in steps:
            self._console.say(f"  - {step}".replace("\n", "\n    "))

    def _do(self, steps: Iterable[Step], account: Account) -> None:
        for step in steps:
            said = perform(step, self._machine, self._place, account)
            self._console.say(f"done: {_head(step)}{f': {said}' if said else ''}")

    def _try(self, step: Step, account: Account) -> str:
        try:
            self._do([step], account)
        except SetupError as error:
            self._console.say(f"not done: {error}")
            return str(error)
        return ""


def _configured_root(config: str) -> Path | None:
    """Return the tree that the administrator has named in our own file."""
    found = [one.text for one in parse(without_block(config)).assignments if one.name == ROOT and one.text.strip()]
    return Path(found[-1].strip()) if found else None


def _merge(before: Manifest | None, now: Manifest) -> Manifest:
    """Return what there is to undo after this run and those before it."""
    if before is None:
        return now
    files = dict.fromkeys((*before.files, *now.files))
    return replace(now, files=tuple(files), server=now.server or before.server, is_settled=before.is_settled)


def _head(step: Step) -> str:
    return str(step).partition("\n")[0]
