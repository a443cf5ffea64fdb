"""From the findings to the steps. Pure: values in, values out."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.machine import Place
from mastodon_update_check.install.copying import COPY, DATABASE, ENV_FILE, ROOT
from mastodon_update_check.install.database import Server
from mastodon_update_check.install.discovery import Installation
from mastodon_update_check.install.manifest import Manifest
from mastodon_update_check.install.steps import (
    DAEMON_RELOAD,
    CopySettings,
    HideTree,
    RemoveFile,
    Step,
    WriteFile,
    create_role,
    drop_role,
    systemctl,
)
from mastodon_update_check.install.texts import (
    PATH,
    PLAIN,
    own_values_of,
    path_drop_in,
    service_drop_in,
    with_block,
    without_block,
)

DETAILS = "UPDATE_CHECK_RELEASE_DETAILS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts that the plan depends on."""

    installation: Installation
    server: Server | str
    """The server to create the role in, or why there is none."""
    config: str
    """The text of our own file."""
    drop_ins: Mapping[Path, str]
    """The content of the files that `setup` adds to units; empty where there is none yet."""
    former_server: Server | None = None
    """The server of the last setup, when Mastodon's settings still name its database."""
    release_details: str = ""
    """The administrator's answer about release details: `github`, or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupPlan:
    """The steps, in this order, and remarks about them."""

    preparations: tuple[Step, ...]
    start: tuple[Step, ...]
    """The steps after the administrator has decided about pending notices."""
    manifest: Manifest
    config: str
    """The content that our own file gets."""
    obstacles: tuple[str, ...]
    """Reasons why setup cannot go on, with what to do."""
    remarks: tuple[str, ...]


def decide(situation: Situation, place: Place, started: str, former: str = "") -> SetupPlan:
    """Decide which steps setting up takes; `started` is the unit to run, `former` the one that runs now, if any.

    Raises:
        SetupError: the tree's path cannot be written into a unit.
    """
    installation = situation.installation
    if not PATH.fullmatch(str(installation.root)):
        raise SetupError(
            f"the path {clean(str(installation.root))} has characters with a meaning in a unit: expected "
            "letters, digits and /._+@=,- only; create a link to it, and name that with --root"
        )
    variables, own = _variables(situation, place), own_values_of(situation.config)
    config = with_block(situation.config, variables)
    files = tuple(_drop_ins(situation, place))
    preparations: list[Step] = []
    is_ours = DATABASE in variables and DATABASE not in own
    server = situation.server if is_ours and isinstance(situation.server, Server) else None
    if server is not None:
        preparations.append(create_role(server))
    if config != situation.config:
        shown = tuple(_shown(name, variables) for name in variables if name not in own)
        purpose = "write the settings that were found (your own lines stay, and have precedence)"
        preparations.append(
            WriteFile(path=place.config_file, content=config, purpose=purpose, added=shown, is_secret=True)
        )
    if files:
        preparations += [*files, DAEMON_RELOAD]
    preparations.append(CopySettings(sources=installation.files, target=place.mastodon_copy))
    return SetupPlan(
        preparations=tuple(preparations),
        start=(
            *((systemctl("disable", "--now", former),) if former not in {"", started} else ()),
            systemctl("enable", started),
            systemctl("restart", started),
        ),
        manifest=Manifest(
            root=installation.root,
            server=server,
            files=(*situation.drop_ins, place.mastodon_copy),
            started=started,
            release_details=situation.release_details or "off",
        ),
        config=config,
        obstacles=tuple(_obstacles(situation, place)),
        remarks=tuple(_remarks(situation, place)),
    )


def undo(manifest: Manifest, place: Place, config: str, others: Collection[Manifest]) -> tuple[Step, ...]:
    """Return the steps that undo `setup`; those of `others` on this host stay."""
    steps: list[Step] = [systemctl("disable", "--now", manifest.started)]
    content = without_block(config)
    if config != content:
        purpose = "remove the settings that setup has written"
        steps.append(WriteFile(path=place.config_file, content=content, purpose=purpose, is_secret=True))
    steps += [RemoveFile(path=path) for path in manifest.files]
    steps.append(HideTree(path=place.tree))
    steps.append(DAEMON_RELOAD)
    if manifest.server is not None and manifest.server not in {other.server for other in others}:
        steps.append(drop_role(manifest.server))
    return (*steps, RemoveFile(path=place.manifest))


def _variables(situation: Situation, place: Place) -> dict[str, str]:
    """Return the settings that setup writes, except those that cannot be written as they are."""
    server = situation.server if isinstance(situation.server, Server) else situation.former_server
    found = {
        ROOT: str(situation.installation.root),
        COPY: str(place.mastodon_copy),
        **({} if server is None else {DATABASE: server.login}),
        **({DETAILS: situation.release_details} if situation.release_details else {}),
        **situation.installation.unit_environment,
    }
    return {name: text for name, text in found.items() if PLAIN.fullmatch(text)}


def _shown(name: str, variables: dict[str, str]) -> str:
    return f"{name}={variables[name]}" if name.startswith("UPDATE_CHECK_") else f"{name}=… (from Mastodon's unit)"


def _drop_ins(situation: Situation, place: Place) -> Iterator[WriteFile]:
    installation = situation.installation
    watching = place.drop_in(place.path_unit)
    for path, present in situation.drop_ins.items():
        if path == watching:
            content = path_drop_in(installation.root)
            purpose = "pass changes of Mastodon's settings on to the service"
        else:
            content = service_drop_in(installation.root, place.tree, installation.access)
            purpose = "let the service read the version and the migrations in that tree, and nothing else of it"
        added = tuple(line for line in content.splitlines() if line[0] not in "#[")
        if present != content and (present or added):
            yield WriteFile(path=path, content=content, purpose=purpose, added=added)


def _obstacles(situation: Situation, place: Place) -> Iterator[str]:
    installation = situation.installation
    own = own_values_of(situation.config)
    if not (installation.variables.get("LOCAL_DOMAIN", "").strip() or own.get("LOCAL_DOMAIN")):
        why = f" ({'; '.join(installation.problems)})" if installation.problems else ""
        yield (
            f"LOCAL_DOMAIN is not set: expected it in {installation.root / ENV_FILE}{why}, because it names the server "
            f"in every message. Set it there or in {place.config_file}"
        )


def _remarks(situation: Situation, place: Place) -> Iterable[str]:
    installation, access = situation.installation, situation.installation.access
    root, config = installation.root, place.config_file
    for problem in installation.problems:
        yield f"{problem}. Settings that are only there belong into {config}, too."
    if not (
        installation.variables.get("SMTP_SERVER", "").strip() or own_values_of(situation.config).get("SMTP_SERVER")
    ):
        yield f"SMTP_SERVER is not set: no mail is sent until it is set, there or in {config}."
    if not access.is_readable:
        yield (
            f"Only {installation.owner or 'its owner'} can read the version in {root}: the service uses the version "
            "that the running server reports."
        )
    elif access.group:
        yield f"Only the group {access.group} can read the version in {root}: the service becomes a member of it."
    yield from _database_remarks(situation, config)
    for name in sorted(installation.unit_environment.keys() - _variables(situation, place).keys()):
        yield f"{name} in {installation.unit} has characters that setup does not accept: set it in {config}."
    for path in installation.environment_files:
        yield (
            f"{clean(str(path))}, which {installation.unit} names by EnvironmentFile=, is not copied. Its "
            f"settings of Mastodon's domain, mail server and database belong into {config}, too."
        )


def _database_remarks(situation: Situation, config: Path) -> Iterable[str]:
    if DATABASE in own_values_of(situation.config):
        yield f"{DATABASE} is set in {config}: no PostgreSQL role is created."
    elif isinstance(situation.server, str) and situation.former_server is not None:
        yield f"The role of the last setup is kept, but could not be brought up to date: {situation.server}."
    elif isinstance(situation.server, str):
        yield (
            f"No PostgreSQL role is created: {situation.server}. Until there is one, the service uses Mastodon's "
            "login; `mastodon-update-check setup --print-sql` shows how to create it."
        )
