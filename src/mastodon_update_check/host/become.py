"""Commands run by root on an installed server act as the service: its user, its settings, its view of the files.

So they see the same ledger and the same tree as the daemon, also while it does not run, and leave no files of root's.
Installed means: our own file of settings is where the package puts it, and systemd has a unit with a user of its own.
Elsewhere (developers, containers, another `UPDATE_CHECK_CONFIG`) nothing changes.
"""

import grp
import os
import pwd
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from mastodon_update_check.errors import SettingsError
from mastodon_update_check.host.mounts import enter_view, mount_empty
from mastodon_update_check.host.names import Place, find_place
from mastodon_update_check.host.programs import Run, run_program
from mastodon_update_check.host.unit_view import UnitView, find_credentials, look

CONFIG = "UPDATE_CHECK_CONFIG"
CREDENTIALS = Path("/run/credentials")
STATE = Path("/var/lib")
_CREDENTIAL_BYTES = 1 << 20
_STORES = (Path("/etc/credstore"), Path("/run/credstore"), Path("/usr/lib/credstore"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that is installed on this host."""

    place: Place
    view: UnitView


def find_service(
    environ: Mapping[str, str], run: Run = run_program, first: Place | None = None, code: Path = Path(__file__)
) -> Service | None:
    """Return the service whose settings a command would take; None where none is installed.

    A checkout in somebody's home, which `code` tells, is not what the service runs, nor could it.
    """
    first = first or Place()
    place = find_place(Path(environ.get(CONFIG, "").strip() or first.config_file), first.prefix)
    if place is None or not place.config_file.is_file():
        return None
    view = look(place.unit, run)
    if view is None or any(code.resolve().is_relative_to(hidden) for hidden in view.hidden):
        return None
    return Service(place=place, view=view)


def become(service: Service, environ: MutableMapping[str, str], run: Run = run_program) -> None:
    """Turn this process, which is root's, into one of the service's, for good.

    Raises:
        SettingsError: the unit's user or group does not exist.
    """
    view, unit = service.view, service.place.unit
    account, groups = _identify(view, unit)
    additions = dict(view.environment)
    if view.state_directory:
        additions["STATE_DIRECTORY"] = str(_make_state(STATE / view.state_directory, account))
    try:
        additions |= _enter(view, unit, account, run)
    except OSError as error:
        sys.stderr.write(
            f"mastodon-update-check: this process cannot see the files as {unit} does ({error.strerror}); "
            "what it says of Mastodon's tree may differ\n"
        )
    os.setgroups(groups)
    os.setgid(groups[0])
    os.setuid(account.pw_uid)
    os.umask(0o077)
    # libpq's are left out, too: root's password to some PostgreSQL would go to the server that Mastodon's file names.
    for name in [name for name in environ if name == "XDG_STATE_HOME" or name.startswith("PG")]:
        del environ[name]
    environ.update({"HOME": account.pw_dir, "USER": account.pw_name, "LOGNAME": account.pw_name})
    for name, text in additions.items():
        environ.setdefault(name, text)


def _identify(view: UnitView, unit: str) -> tuple[pwd.struct_passwd, list[int]]:
    """Return the account, and its groups as systemd gives them, the main one first."""
    try:
        account = pwd.getpwuid(int(view.user)) if view.user.isdecimal() else pwd.getpwnam(view.user)
        main = _group(view.group) if view.group else account.pw_gid
        more = [_group(name) for name in view.supplementary_groups]
    except KeyError as error:
        raise SettingsError([f"{unit} runs as a user or in a group that does not exist: {error}."]) from error
    return account, [main, *os.getgrouplist(account.pw_name, main), *more]


def _group(name: str) -> int:
    return int(name) if name.isdecimal() else grp.getgrnam(name).gr_gid


def _make_state(path: Path, account: pwd.struct_passwd) -> Path:
    """Make the service's state directory as systemd does before the first start; return its path."""
    if path.exists():
        return path
    path.mkdir(mode=0o700, parents=True)
    # By a descriptor: the directory above may be the service's own, who could exchange what was made for a link.
    descriptor = os.open(path, os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchown(descriptor, account.pw_uid, account.pw_gid)
    finally:
        os.close(descriptor)
    return path


def _enter(view: UnitView, unit: str, account: pwd.struct_passwd, run: Run) -> dict[str, str]:
    """See the files as the unit does, its secrets among them; return the variables that say where these are."""
    directory = CREDENTIALS / unit
    is_live = directory.is_dir()
    secrets = {} if is_live else dict(_load(find_credentials(unit, run)))
    if view.hidden or view.binds or secrets:
        enter_view(view.hidden, view.binds)
    if secrets:
        CREDENTIALS.mkdir(exist_ok=True)
        mount_empty(CREDENTIALS)
        directory.mkdir(mode=0o755)
        for name, content in secrets.items():
            _write(directory / name, content, account)
    return {"CREDENTIALS_DIRECTORY": str(directory)} if is_live or secrets else {}


def _load(credentials: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    """Read what systemd would hand over; of what is missing it speaks itself."""
    for name, source in credentials:
        path = Path(source)
        if not path.is_absolute():
            path = next((store / source for store in _STORES if (store / source).is_file()), path)
        if path.is_dir():
            for file in sorted(path.iterdir()):
                yield f"{name}_{file.name}", _read(file)
        elif path.is_absolute() and path.is_file():
            yield name, _read(path)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_CREDENTIAL_BYTES)


def _write(path: Path, content: bytes, account: pwd.struct_passwd) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        os.fchown(descriptor, account.pw_uid, account.pw_gid)
        file.write(content)
