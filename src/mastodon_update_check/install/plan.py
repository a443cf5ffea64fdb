"""The plan of `setup`: from the findings to steps, obstacles and remarks. Pure: values in, values out.

`setup` writes a block of settings into our own file, and files that are added to units. The block is also the record of
what was set up: `setup --undo` finds there what to undo.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.config.dotenv import USUAL_FILE
from mastodon_update_check.config.sources import ENV_FILE, ROOT
from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Place
from mastodon_update_check.install.copying import DATABASE, SHOWN_DIRECTORIES, describe_problems, values_of
from mastodon_update_check.install.database import Server, read_server
from mastodon_update_check.install.discovery import Access, Installation
from mastodon_update_check.install.steps import SetupStep, Steps
from mastodon_update_check.mastodon.database_address import OWN_ROLE

DETAILS: Final = "UPDATE_CHECK_RELEASE_DETAILS"
_BEGIN: Final = "# --- written by mastodon-update-check setup; setup --undo removes it ---"
_END: Final = "# --- end of what setup has written ---"
_BLOCK: Final = re.compile(rf"\n?{re.escape(_BEGIN)}\n.*?(?:{re.escape(_END)}\n|\Z)", re.DOTALL)
_ROLE: Final = re.compile(
    rf"^#?{DATABASE}='host=(?P<directory>\S+) port=(?P<port>[0-9]+) dbname=(?P<name>\S+) user={OWN_ROLE}'$",
    re.MULTILINE,
)
_HEAD: Final = "# Written by `mastodon-update-check setup`; `mastodon-update-check setup --undo` removes it."
_PATH: Final = re.compile(r"/[A-Za-z0-9/._+@=,-]*")
"""A path without characters that have a meaning in a unit, a file of settings or a shell."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9 ./:_@=,+<>-]*")
"""A value without characters that have a meaning between single quotes."""


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
        if not _PATH.fullmatch(str(self.installation.root)):
            raise SetupError(
                f"the path {clean(str(self.installation.root))} has characters with a meaning in a unit: expected "
                "letters, digits and /._+@=,- only; create a link to it, and name that with --root"
            )

    @property
    def own(self) -> Mapping[str, str]:
        """The variables that the administrator sets."""
        return values_of(without_block(self.config))

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
            ENV_FILE: str(self.place.mastodon_copy),
            **({} if login is None else {DATABASE: login.login}),
            **({} if self.release_details == "off" else {DETAILS: self.release_details}),
            **self.installation.unit_environment,
        }
        return {name: text for name, text in found.items() if _PLAIN.fullmatch(text)}

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
            shown = [
                f"{name}={text}" if name.startswith("UPDATE_CHECK_") else f"{name}=… (from Mastodon's unit)"
                for name, text in self.variables.items()
                if name not in self.own
            ]
            text = "write the settings that were found (your own lines stay, and have precedence)"
            yield steps.write(self.place.config_file, self.new_config, text, shown, is_secret=True)
        if role := self.new_role:
            name = f"the PostgreSQL role {OWN_ROLE} in {role.name} (port {role.port})"
            yield steps.run_sql(role, "install", f"create {name}; it can only list the staff")
        if drop_ins := list(self._drop_ins(steps)):
            yield from (*drop_ins, steps.systemctl("daemon-reload"))
        yield steps.copy_settings(self.installation.files.names)

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
            problems = describe_problems(self.installation.files)
            why = f" ({'; '.join(problems)})" if problems else ""
            yield (
                f"LOCAL_DOMAIN is not set: expected it in {self.installation.root / USUAL_FILE}{why}, because it names "
                f"the server in every message. Set it there or in {self.place.config_file}"
            )

    def remarks(self) -> Iterator[str]:
        """Yield sentences about consequences that an administrator may not expect."""
        found, config = self.installation, self.place.config_file
        for problem in describe_problems(found.files):
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
        text = f"remove the PostgreSQL role and its functions from {role.name} (port {role.port})"
        yield steps.run_sql(role, "undo", text)
    text = "remove the settings that setup has written"
    yield steps.write(place.config_file, without_block(config), text, is_secret=True)


def has_block(text: str) -> bool:
    """Return whether `setup` has written into our own file."""
    return _BLOCK.search(text) is not None


def without_block(text: str) -> str:
    """Return our own file without the lines that `setup` has written."""
    return _BLOCK.sub("", text)


def with_block(text: str, variables: Mapping[str, str], role: Server | None = None) -> str:
    """Return our own file with these variables, except those that the administrator sets in it.

    The server that has our role is recorded in a comment when its login is not among the variables.
    """
    others = without_block(text)
    own = values_of(others)
    lines = [f"{name}='{value}'\n" for name, value in variables.items() if name not in own]
    if role is not None and (DATABASE in own or DATABASE not in variables):
        lines.append(f"#{DATABASE}='{role.login}'\n")
    gap = "" if others.endswith("\n") or not others else "\n"
    return f"{others}{gap}\n{_BEGIN}\n{''.join(lines)}{_END}\n"


def find_role(text: str) -> Server | None:
    """Return the server in which `setup` has created our role, as the block in our own file says."""
    block = _BLOCK.search(text)
    found = _ROLE.search(block[0]) if block else None
    return Server(directory=found["directory"], port=int(found["port"]), name=found["name"]) if found else None


def service_drop_in(root: Path, shown: Path, access: Access) -> str:
    """Return what a unit needs to see the tree's version and migrations, which are mounted at `shown`, and no more."""
    lines = [_HEAD, "[Service]", *(f"TemporaryFileSystem={path}:ro" for path in access.hidden)]
    if access.is_readable:
        lines += [
            "# `copy-settings` has mounted the tree's directories there without following links, as a bind would.",
            f"BindReadOnlyPaths=-{shown}:{root}",
            "# Nothing in it can be executed or loaded as a library.",
            f"NoExecPaths=-{root}",
            *(f"NoExecPaths=-{root}/{directory}" for directory in SHOWN_DIRECTORIES),
        ]
    if access.group:
        lines += ["# Only this group may read the version.", f"SupplementaryGroups={access.group}"]
    return "\n".join(lines) + "\n"


def path_drop_in(root: Path) -> str:
    """Return the path that the path unit watches, instead of its default."""
    return f"{_HEAD}\n[Path]\nPathChanged=\nPathChanged={root}\n"
