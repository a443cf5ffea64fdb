"""The steps of one upgrade, as they are printed for an administrator; this program never takes them itself.

The order is that of Mastodon's guide (docs, admin/upgrading): fetch, check out, do what the release notes say, restart
Sidekiq, reload web, restart streaming.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import quote
from typing import assert_never

from mastodon_update_check.domain.routes import Station
from mastodon_update_check.domain.versions import MastodonVersion


class InstallKind(StrEnum):
    """How Mastodon was installed: which commands an upgrade takes."""

    SOURCE = "source"
    DOCKER = "docker"
    YUNOHOST = "yunohost"
    NIXOS = "nixos"
    FORK = "fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What the commands are filled in with."""

    kind: InstallKind
    root: str
    """The Mastodon tree."""
    user: str = "mastodon"
    """Who owns it."""
    units: tuple[str, ...] = ("mastodon-sidekiq", "mastodon-web", "mastodon-streaming")
    """Its systemd units."""


@dataclass(frozen=True, slots=True)
class Command:
    """A line to type; `text` may go straight into a shell."""

    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """What to know, or to do by hand, before the next line."""

    text: str


Step = Command | Remark
RELEASES_URL = "https://github.com/mastodon/mastodon/releases"
_BACKUP = "Back up the database first."


def write_steps(installation: Installation, station: Station, installed: MastodonVersion) -> tuple[Step, ...]:
    """Return what leads from the installed version to `station`, in order."""
    kind = installation.kind
    match kind:
        case InstallKind.SOURCE:
            return tuple(_from_source(installation, station))
        case InstallKind.DOCKER:
            return tuple(_by_compose(station))
        case InstallKind.YUNOHOST:
            return tuple(_by_yunohost(station))
        case InstallKind.NIXOS:
            return tuple(_by_nixos(station))
        case InstallKind.FORK:
            return tuple(_of_fork(installation, station, installed))
        case _:
            assert_never(kind)


def _notes(station: Station) -> str:
    """Return where the release notes are; a listed release may come without them."""
    return (station.update.release_notes if station.update else "") or RELEASES_URL


def _tag(station: Station) -> str:
    return f"v{station}"


def _from_source(installation: Installation, station: Station) -> Iterable[Step]:
    yield Remark(f"{_BACKUP} Read the release notes: {_notes(station)}")
    yield Command(f"sudo -iu {installation.user}")
    yield Command(f"cd {quote(installation.root)}")
    yield Command("git fetch --tags")
    if station.update is None:
        yield Remark(
            f"Take the newest patch of {station.branch}, the last that this lists, and put its number in for x:"
        )
        yield Command(f"git tag --list 'v{station.branch}.*' --sort=version:refname")
    yield Command(f"git checkout {quote(_tag(station))}")
    yield Remark(
        "Now what the release notes say, as this user and in their order: often bundle install, yarn install, database "
        "migrations and new assets."
    )
    yield Command("exit")
    yield from _restart(installation.units)


def _restart(units: Sequence[str]) -> Iterable[Step]:
    """Sidekiq first: reloading web does not restart it, and it is what would go on running the old version."""
    sidekiq, web, streaming = (_of(units, word) for word in ("sidekiq", "web", "streaming"))
    if sidekiq:
        yield Command(f"systemctl restart {sidekiq}")
    if web:
        yield Command(f"systemctl reload {web}")
    if streaming:
        yield Remark(
            "Streaming only if the release notes name it: every open app loses its connection and comes back at once."
        )
        yield Command(f"systemctl restart {streaming}")


def _of(units: Sequence[str], word: str) -> str:
    return " ".join(quote(unit) for unit in units if word in unit)


def _by_compose(station: Station) -> Iterable[Step]:
    yield Remark(f"{_BACKUP} Read the release notes: {_notes(station)}")
    yield Remark(
        f"In docker-compose.yml, give the images of web, sidekiq and streaming the tag {_tag(station)}"
        f"{_newest(station)}; then, where that file is:"
    )
    yield Command("docker compose pull")
    yield Remark("Now what the release notes say; database migrations are usually:")
    yield Command("docker compose run --rm web bundle exec rails db:migrate")
    yield Command("docker compose up -d")


def _by_yunohost(station: Station) -> Iterable[Step]:
    yield Remark(f"YunoHost's package decides which release you get; it may be behind {station} for some days.")
    yield Command("yunohost tools update apps")
    yield Command("yunohost app upgrade mastodon")
    yield Remark(f"It makes a backup by itself. The release notes: {_notes(station)}")


def _by_nixos(station: Station) -> Iterable[Step]:
    yield Remark(
        f"{_BACKUP} Your nixpkgs decides which release you get: update the channel or the flake input, see that its "
        f"mastodon is {station}{_newest(station)}, then:"
    )
    yield Command("nixos-rebuild switch")
    yield Remark(f"It migrates the database and restarts the units. The release notes: {_notes(station)}")


def _of_fork(installation: Installation, station: Station, installed: MastodonVersion) -> Iterable[Step]:
    yield Remark(
        f"You run {installed.text}, a fork: look for its own release that is built on {station}{_newest(station)}, or "
        "a later one, and upgrade as its notes say. Do not check out Mastodon's own tag."
    )
    yield Remark(f"What Mastodon changed: {_notes(station)}")
    yield Command(f"sudo -iu {installation.user} git -C {quote(installation.root)} fetch --tags")
    yield Remark("After the upgrade:")
    yield from _restart(installation.units)


def _newest(station: Station) -> str:
    return "" if station.update else " (its newest patch)"
