"""The plan of `setup`: from the findings to steps, obstacles and remarks. Pure: values in, values out."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Place
from mastodon_update_check.install.copying import COPY, DATABASE, ENV_FILE, ROOT
from mastodon_update_check.install.database import Server, read_server
from mastodon_update_check.install.discovery import Installation
from mastodon_update_check.install.steps import SetupStep, Steps
from mastodon_update_check.install.texts import (
    PATH,
    PLAIN,
    find_role,
    own_values_of,
    path_drop_in,
    service_drop_in,
    with_block,
    without_block,
)

DETAILS = "UPDATE_CHECK_RELEASE_DETAILS"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPlan:
    """The findings on a host, and what follows from them; a path that no unit can have is a `SetupError`."""

    place: Place
    installation: Installation
    server: Server | str
    """The server to create the role in, or why there is none."""
    config: str
    drop_ins: Mapping[Path, str]
    """The content of the files that `setup` adds to units; empty where there is none yet."""
    release_details: str = "off"

    def __post_init__(self) -> None:
        if not PATH.fullmatch(str(self.installation.root)):
            raise SetupError(
                f"the path {clean(str(self.installation.root))} has characters with a meaning in a unit: expected "
                "letters, digits and /._+@=,- only; create a link to it, and name that with --root"
            )

    @property
    def own(self) -> Mapping[str, str]:
        """The variables that the administrator sets."""
        return own_values_of(self.config)

    @property
    def former_role(self) -> Server | None:
        """The server of the last setup, while Mastodon's settings still name its database."""
        former, wanted = find_role(self.config), read_server(self.installation.variables)
        is_named = former is not None and not isinstance(wanted, str) and former.name == wanted.name
        return former if is_named else None

    @property
    def variables(self) -> dict[str, str]:
        """The settings that setup writes, except those that cannot be written as they are."""
        login = self.server if isinstance(self.server, Server) else self.former_role
        found = {
            ROOT: str(self.installation.root),
            COPY: str(self.place.mastodon_copy),
            **({} if login is None else {DATABASE: login.login}),
            **({} if self.release_details == "off" else {DETAILS: self.release_details}),
            **self.installation.unit_environment,
        }
        return {name: text for name, text in found.items() if PLAIN.fullmatch(text)}

    @property
    def new_config(self) -> str:
        """The content that our own file gets."""
        return with_block(self.config, self.variables, self.new_role or find_role(self.config))

    @property
    def new_role(self) -> Server | None:
        """The server in which the role is created; None where the administrator has another login."""
        return self.server if isinstance(self.server, Server) and DATABASE not in self.own else None

    def preparations(self, steps: Steps) -> Iterator[SetupStep]:
        """Yield the steps before the administrator decides about pending notices."""
        if self.new_config != self.config:
            shown = [_shown(name, text) for name, text in self.variables.items() if name not in self.own]
            text = "write the settings that were found (your own lines stay, and have precedence)"
            yield steps.write(self.place.config_file, self.new_config, text, shown, is_secret=True)
        if role := self.new_role:
            yield steps.create_role(role)
        if drop_ins := list(self._drop_ins(steps)):
            yield from (*drop_ins, steps.systemctl("daemon-reload"))
        yield steps.copy_settings(self.installation.files.paths)

    def _drop_ins(self, steps: Steps) -> Iterator[SetupStep]:
        for path, present in self.drop_ins.items():
            if path == self.place.drop_in(self.place.path_unit):
                content = path_drop_in(self.installation.root)
                text = "pass changes of Mastodon's settings on to the service"
            else:
                content = service_drop_in(self.installation.root, self.place.tree, self.installation.access)
                text = "let the service read the version and the migrations in that tree, and nothing else of it"
            added = [line for line in content.splitlines() if line[0] not in "#["]
            if present != content and (present or added):
                yield steps.write(path, content, text, added)

    def obstacles(self) -> Iterator[str]:
        """Yield reasons why setup cannot go on, with what to do."""
        if not self._is_set("LOCAL_DOMAIN"):
            problems = self.installation.files.problems
            why = f" ({'; '.join(problems)})" if problems else ""
            yield (
                f"LOCAL_DOMAIN is not set: expected it in {self.installation.root / ENV_FILE}{why}, because it names "
                f"the server in every message. Set it there or in {self.place.config_file}"
            )

    def remarks(self) -> Iterator[str]:
        """Yield sentences about consequences that an administrator may not expect."""
        found, config = self.installation, self.place.config_file
        for problem in found.files.problems:
            yield f"{problem}. Settings that are only there belong into {config}, too."
        if not self._is_set("SMTP_SERVER"):
            yield f"SMTP_SERVER is not set: no mail is sent until it is set, there or in {config}."
        if not found.access.is_readable:
            yield (
                f"Only {found.owner or 'its owner'} can read the version in {found.root}: the service uses the version "
                "that the running server reports."
            )
        elif group := found.access.group:
            yield f"Only the group {group} can read the version in {found.root}: the service becomes a member of it."
        if DATABASE in self.own:
            yield f"{DATABASE} is set in {config}: no PostgreSQL role is created."
        elif isinstance(self.server, str) and self.former_role is not None:
            yield f"The role of the last setup is kept, but could not be brought up to date: {self.server}."
        elif isinstance(self.server, str):
            yield (
                f"No PostgreSQL role is created: {self.server}. Until there is one, the service uses Mastodon's "
                "login; `mastodon-update-check setup --print-sql` shows how to create it."
            )
        for name in sorted(found.unit_environment.keys() - self.variables.keys()):
            yield f"{name} in {found.unit} has characters that setup does not accept: set it in {config}."
        for path in found.environment_files:
            yield (
                f"{clean(str(path))}, which {found.unit} names by EnvironmentFile=, is not copied. Its "
                f"settings of Mastodon's domain, mail server and database belong into {config}, too."
            )

    def _is_set(self, name: str) -> bool:
        return bool(self.installation.variables.get(name, "").strip() or self.own.get(name))


def undo(config: str, place: Place, others: Collection[Server | None], steps: Steps, timer: str) -> Iterator[SetupStep]:
    """Yield the steps that undo `setup`; the last one removes its record. The roles of `others` on this host stay."""
    yield steps.systemctl("disable", "--now", place.unit, *([] if place.name else [timer]))
    for path in (*place.drop_ins, place.mastodon_copy):
        yield steps.remove(path)
    yield steps.hide_tree()
    yield steps.systemctl("daemon-reload")
    role = find_role(config)
    if role is not None and role not in others:
        yield steps.drop_role(role)
    text = "remove the settings that setup has written"
    yield steps.write(place.config_file, without_block(config), text, is_secret=True)


def _shown(name: str, text: str) -> str:
    return f"{name}={text}" if name.startswith("UPDATE_CHECK_") else f"{name}=… (from Mastodon's unit)"
