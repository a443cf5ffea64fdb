"""The commands of an upgrade from source, as far as release details show which of them are needed, and why."""

from collections.abc import Iterable, Sequence

from mastodon_update_check.domain.release_details import ReleaseDetails, UpgradeStep
from mastodon_update_check.domain.release_tree import GEMS, RUBY_VERSION, SCHEMA, YARN

MIGRATE = "RAILS_ENV=production bundle exec rails db:migrate"
PRECOMPILE = "RAILS_ENV=production bundle exec rails assets:precompile"
_COMMANDS = {
    UpgradeStep.RUBY: "RUBY_CONFIGURE_OPTS=--with-jemalloc rbenv install --skip-existing",
    UpgradeStep.BUNDLE_INSTALL: "bundle install",
    UpgradeStep.YARN_INSTALL: "yarn install",
    UpgradeStep.MIGRATIONS: f"SKIP_POST_DEPLOYMENT_MIGRATIONS=true {MIGRATE}",
    UpgradeStep.ASSETS: PRECOMPILE,
}
"""In the order of Mastodon's guide: the assets are built after the first migrations."""
_NAMES = {
    UpgradeStep.RUBY: f"another Ruby ({RUBY_VERSION})",
    UpgradeStep.BUNDLE_INSTALL: f"bundle install ({GEMS})",
    UpgradeStep.YARN_INSTALL: f"yarn install ({YARN})",
    UpgradeStep.MIGRATIONS: f"migrations ({SCHEMA})",
    UpgradeStep.ASSETS: f"new assets ({YARN})",
    UpgradeStep.RESTART_STREAMING: "a restart of streaming (streaming/)",
}


def list_commands(details: ReleaseDetails) -> Sequence[str]:
    """Return the commands that are needed between `git checkout` and the restart, in order."""
    return [command for step, command in _COMMANDS.items() if step in details.needed]


def explain_steps(details: ReleaseDetails) -> Iterable[str]:
    """Say which steps are needed, which are not, and which are unknown, each with the file that shows it."""
    between = f"between {details.installed} and {details.version}"
    if details.is_restart_enough:
        yield "A restart is enough, unless the front end has changed:"
    if details.needed:
        yield f"Needed, because the file differs {between}: {_enumerate(details.needed)}."
    if details.not_needed:
        yield f"Not needed, because the file is the same: {_enumerate(details.not_needed)}."
    unknown = [step for step in details.unknown if step is not UpgradeStep.ASSETS]
    if unknown:
        yield f"Unknown, see the release notes: {_enumerate(unknown)}."


def explain_requirements(details: ReleaseDetails) -> Iterable[str]:
    """Say which minimums rise, and which this server does not meet."""
    for one in details.requires or ():
        use = f"; this server has {one.found}" if one.found else ""
        first = ": upgrade it first" if one.is_met is False else ""
        yield f"{details.version} requires {one.name} {one.minimum} or later{use}{first}."


def _enumerate(steps: Sequence[UpgradeStep]) -> str:
    return ", ".join(_NAMES[step] for step in steps)
