"""The steps of one upgrade, printed for an administrator; this program never takes them.

The order is that of Mastodon's guide (docs, admin/upgrading): fetch, check out, do what the release notes say, restart
Sidekiq, reload web, restart streaming. Release details show which steps between are needed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from shlex import join, quote
from typing import NamedTuple, assert_never

from mastodon_update_check.domain.release_details import ReleaseDetails, UpgradeStep
from mastodon_update_check.domain.routes import Station
from mastodon_update_check.domain.versions import MastodonVersion

MIGRATE = "RAILS_ENV=production bundle exec rails db:migrate"
_PRECOMPILE = "RAILS_ENV=production bundle exec rails assets:precompile"
_COMMANDS = {
    UpgradeStep.RUBY: "RUBY_CONFIGURE_OPTS=--with-jemalloc rbenv install --skip-existing",
    UpgradeStep.BUNDLE_INSTALL: "bundle install",
    UpgradeStep.YARN_INSTALL: "yarn install",
    UpgradeStep.MIGRATIONS: f"SKIP_POST_DEPLOYMENT_MIGRATIONS=true {MIGRATE}",
    UpgradeStep.ASSETS: _PRECOMPILE,
}
"""In the order of Mastodon's guide: the assets are built after the first migrations."""
FRONT_END = ("app/assets", "app/javascript", "config/vite*", "config/webpack*", "vite.config*")


class InstallKind(StrEnum):
    """How Mastodon was installed: which commands an upgrade takes."""

    SOURCE = "source"
    DOCKER = "docker"
    YUNOHOST = "yunohost"
    NIXOS = "nixos"
    FORK = "fork"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandValues:
    """The values that commands are filled in with."""

    kind: InstallKind
    root: str
    user: str = "mastodon"
    units: tuple[str, ...] = ("mastodon-sidekiq", "mastodon-web", "mastodon-streaming")


class Step(NamedTuple):
    """A line to type, which may go straight into a shell, or a remark: information, or work by hand before the next."""

    text: str
    is_command: bool = False


_BACKUP = "Back up the database first."


def write_steps(
    installation: CommandValues,
    station: Station,
    installed: MastodonVersion,
    details: ReleaseDetails | None = None,
    notes: Sequence[str] = (),
) -> tuple[Step, ...]:
    """Return the steps of the upgrade to `station`, in order; `notes` say in sentences what `details` hold."""
    match installation.kind:
        case InstallKind.SOURCE:
            steps = _from_source(installation, station, details)
        case InstallKind.DOCKER:
            steps = _by_compose(station, details)
        case InstallKind.FORK:
            steps = _of_fork(installation, station, installed, details)
        case InstallKind.YUNOHOST | InstallKind.NIXOS as kind:
            steps = _by_package(station, kind)
        case kind:
            assert_never(kind)
    return (*map(Step, notes), *steps)


def _command(text: str) -> Step:
    return Step(text, is_command=True)


def _from_source(installation: CommandValues, station: Station, details: ReleaseDetails | None) -> Iterable[Step]:
    yield Step(f"{_BACKUP} Read the release notes: {station.release_notes}")
    yield from _become(installation)
    yield _command("git fetch --tags")
    if station.update is None:
        yield Step(f"Take the newest patch of {station.branch}, the last that this lists, and put its number in for x:")
        yield _command(f"git tag --list 'v{station.branch}.*' --sort=version:refname")
    yield _command(f"git checkout {quote(f'v{station}')}")
    if details is None:
        yield Step(
            "Now the steps of the release notes, as this user and in their order: often bundle install, yarn install, "
            "database migrations and new assets."
        )
    else:
        yield from (_command(command) for step, command in _COMMANDS.items() if step in details.needed)
        if details.asks_front_end:  # Git decides: whether its code has changed is not among the facts
            tags = [f"v{version.name}" for version in (details.installed, details.version)]
            yield Step("This builds the assets if the code of the front end differs:")
            yield _command(f"git diff --quiet {join([*tags, '--', *FRONT_END])} || {_PRECOMPILE}")
    yield _command("exit")
    yield from _restart(installation.units, details)
    if details is not None and UpgradeStep.MIGRATIONS in details.needed:
        yield Step("When all of them have been restarted, the post-deployment migrations:")
        yield from (*_become(installation), _command(MIGRATE), _command("exit"))


def _become(installation: CommandValues) -> Iterable[Step]:
    yield _command(f"sudo -iu {installation.user}")
    yield _command(f"cd {quote(installation.root)}")


def _restart(units: Sequence[str], details: ReleaseDetails | None = None) -> Iterable[Step]:
    """Sidekiq first: reloading web does not restart it, and it would continue to run the old version."""
    words = ("sidekiq", "web", "streaming")
    sidekiq, web, streaming = (" ".join(quote(unit) for unit in units if word in unit) for word in words)
    if sidekiq:
        yield _command(f"systemctl restart {sidekiq}")
    if web:
        has_new_ruby = details is not None and UpgradeStep.RUBY in details.needed  # a reload keeps the process
        yield _command(f"systemctl {'restart' if has_new_ruby else 'reload'} {web}")
    is_needed = details.steps.get(UpgradeStep.RESTART_STREAMING) if details else None
    if streaming and is_needed is None:
        yield Step("Streaming only if the release notes name it: every open app has to connect again.")
    if streaming and is_needed is not False:
        yield _command(f"systemctl restart {streaming}")


def _by_compose(station: Station, details: ReleaseDetails | None) -> Iterable[Step]:
    yield Step(f"{_BACKUP} Read the release notes: {station.release_notes}")
    yield Step(
        f"In docker-compose.yml, give the images of web, sidekiq and streaming the tag v{station}"
        f"{_newest(station)}; then, where that file is:"
    )
    yield _command("docker compose pull")
    migrations = details.steps.get(UpgradeStep.MIGRATIONS) if details else None
    if migrations is not False:
        yield Step("Now the migrations:" if migrations else "Now what the release notes say; migrations are usually:")
        yield _command("docker compose run --rm web bundle exec rails db:migrate")
    yield _command("docker compose up -d")


def _by_package(station: Station, kind: InstallKind) -> Iterable[Step]:
    if kind is InstallKind.YUNOHOST:
        yield Step(f"YunoHost's package decides which release you get; it may be behind {station} for some days.")
        yield _command("yunohost tools update apps")
        yield _command("yunohost app upgrade mastodon")
        yield Step(f"It makes a backup automatically. The release notes: {station.release_notes}")
        return
    yield Step(
        f"{_BACKUP} Your nixpkgs decides which release you get: update the channel or the flake input, see that its "
        f"mastodon is {station}{_newest(station)}, then:"
    )
    yield _command("nixos-rebuild switch")
    yield Step(f"It migrates the database and restarts the units. The release notes: {station.release_notes}")


def _of_fork(
    installation: CommandValues, station: Station, installed: MastodonVersion, details: ReleaseDetails | None
) -> Iterable[Step]:
    yield Step(
        f"You run {installed.text}, a fork: look for its own release that is built on {station}{_newest(station)}, or "
        "a later one, and upgrade as its notes say. Do not check out Mastodon's own tag."
    )
    yield Step(f"What Mastodon changed: {station.release_notes}")
    yield _command(f"sudo -iu {installation.user} git -C {quote(installation.root)} fetch --tags")
    yield Step("After the upgrade:")
    yield from _restart(installation.units, details)


def _newest(station: Station) -> str:
    return "" if station.update else " (its newest patch)"
