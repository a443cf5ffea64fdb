"""From what was found to what is to be done. Pure: values in, values out."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SetupError
from mastodon_update_check.host.names import Place
from mastodon_update_check.install.copying import COPY, DATABASE, ENV_FILE, ROOT
from mastodon_update_check.install.environment_file import as_dotenv
from mastodon_update_check.install.found import Installation, Situation
from mastodon_update_check.install.manifest import Manifest
from mastodon_update_check.install.steps import CopySettings, DropRole, MakeRole, RemoveFile, Step, Systemctl, WriteFile
from mastodon_update_check.install.texts import PATH, PLAIN, drop_in, own_names, with_block, without_block


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done, in this order, and what there is to say about it."""

    preparations: tuple[Step, ...]
    start: tuple[Step, ...]
    """What follows when it is settled who is told now."""
    manifest: Manifest
    remarks: tuple[str, ...]


def decide(situation: Situation, place: Place, started: str, former: str = "") -> Decision:
    """Decide what setting up takes; `started` is the unit that is to run, `former` the one that runs by now, if any.

    Raises:
        SetupError: the tree's path cannot stand in a unit.
    """
    installation = situation.installation
    if not PATH.fullmatch(str(installation.root)):
        raise SetupError(
            f"the path {clean(str(installation.root))} holds signs that mean something else in a unit: letters, digits "
            "and /._+@=,- are allowed; make a link to it, and name that with --root"
        )
    variables = _variables(situation, place)
    written = with_block(situation.config, variables)
    files = [*_files(situation)]
    preparations: list[Step] = []
    if situation.server is not None and DATABASE in variables and DATABASE not in own_names(situation.config):
        preparations.append(MakeRole(server=situation.server))
    if written != situation.config:
        shown = tuple(_shown(name, variables) for name in variables if name not in own_names(situation.config))
        purpose = "What was found, for the service; your own lines stay, and go before:"
        preparations.append(
            WriteFile(path=place.config_file, content=written, purpose=purpose, added=shown, is_secret=True)
        )
    if files:
        preparations += [*files, Systemctl(words=("daemon-reload",))]
    copied = tuple(file for file in installation.environment_files if not file.trouble)
    sources = (installation.root / ENV_FILE, *(file.path for file in copied))
    preparations.append(CopySettings(sources=sources, target=place.mastodon_copy))
    made = next((step.server for step in preparations if isinstance(step, MakeRole)), None)
    return Decision(
        preparations=tuple(preparations),
        start=(
            *((Systemctl(words=("disable", "--now", former)),) if former not in {"", started} else ()),
            Systemctl(words=("enable", started)),
            Systemctl(words=("restart", started)),
        ),
        manifest=Manifest(
            root=installation.root,
            server=made,
            files=(*situation.drop_ins, place.mastodon_copy),
            started=started,
            environment_files=copied,
        ),
        remarks=tuple(_remarks(situation, place)),
    )


def undo(manifest: Manifest, place: Place, config: str, others: Collection[Manifest]) -> tuple[Step, ...]:
    """Return what takes back what `setup` has done; what it has done for `others` on this host stays."""
    steps: list[Step] = [Systemctl(words=("disable", "--now", manifest.started))]
    if config != without_block(config):
        purpose = "without what setup has written"
        content = without_block(config)
        steps.append(WriteFile(path=place.config_file, content=content, purpose=purpose, is_secret=True))
    steps += [RemoveFile(path=path) for path in manifest.files]
    steps.append(Systemctl(words=("daemon-reload",)))
    if manifest.server is not None and manifest.server not in {other.server for other in others}:
        steps.append(DropRole(server=manifest.server))
    return (*steps, RemoveFile(path=place.manifest))


def _variables(situation: Situation, place: Place) -> dict[str, str]:
    """Return the settings that setup gives; what cannot be written as it is, is left out."""
    found = {
        ROOT: str(situation.installation.root),
        COPY: str(place.mastodon_copy),
        **({} if situation.server is None else {DATABASE: situation.server.login}),
        **_kept(situation.installation),
    }
    return {name: text for name, text in found.items() if PLAIN.fullmatch(text)}


def _kept(installation: Installation) -> dict[str, str]:
    """Return what the unit itself sets for Mastodon; what files set instead is copied at each start."""
    in_files = installation.file_environment
    return {name: text for name, text in installation.unit_environment.items() if name not in in_files}


def _shown(name: str, variables: dict[str, str]) -> str:
    return f"{name}={variables[name]}" if name in {ROOT, COPY, DATABASE} else f"{name}=… (from Mastodon's unit)"


def _files(situation: Situation) -> Iterator[WriteFile]:
    installation = situation.installation
    content = drop_in(installation.root, installation.access)
    added = tuple(line for line in content.splitlines() if line and line[0] not in "#[")
    purpose = "The unit sees the version in Mastodon's tree, read-only, and nothing else of it:"
    for path, present in situation.drop_ins.items():
        if present != content and (present or added):
            yield WriteFile(path=path, content=content, purpose=purpose if added else "empty", added=added)


def _remarks(situation: Situation, place: Place) -> Iterable[str]:
    installation, access = situation.installation, situation.installation.access
    root, config = installation.root, place.config_file
    if installation.trouble:
        yield f"{root / ENV_FILE} cannot be copied: {installation.trouble}. Give LOCAL_DOMAIN and SMTP_… in {config}."
    elif not installation.variables.get("LOCAL_DOMAIN", "").strip():
        yield f"LOCAL_DOMAIN is not in {root / ENV_FILE}: set it in {config}; it names the server in every message."
    if not installation.variables.get("SMTP_SERVER", "").strip():
        yield f"SMTP_SERVER is not set: nobody gets mail until it is, there or in {config}."
    if not access.is_readable:
        yield (
            f"Only {installation.owner or 'its owner'} may read the version in {root}: the service goes by what the "
            "running server says."
        )
    elif access.group:
        yield f"Only the group {access.group} may read the version in {root}: the service is lent that group."
    yield from _database_remarks(situation, config)
    for name in sorted(_kept(installation).keys() - _variables(situation, place).keys()):
        yield f"{name} in {installation.unit} holds signs that setup does not handle: set it in {config}."
    for file in installation.environment_files:
        if file.trouble:
            yield (
                f"{clean(str(file.path))}, which {installation.unit} names, cannot be copied: {file.trouble}. What "
                f"Mastodon is told there of its domain, mail server or database belongs into {config}, too."
            )
        for name in as_dotenv(file.variables)[1]:
            yield f"{name} in {file.path} holds signs that setup does not handle: set it in {config}."


def _database_remarks(situation: Situation, config: Path) -> Iterable[str]:
    if DATABASE in own_names(situation.config):
        yield f"{DATABASE} is set in {config}: the database is left alone."
    elif situation.server is None:
        yield (
            f"The service gets no login of its own to the database: {situation.no_server}. Until it has one, it uses "
            "Mastodon's; `mastodon-update-check setup --print-sql` shows the way."
        )
