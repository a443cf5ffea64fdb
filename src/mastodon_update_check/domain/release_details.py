"""Release details: what a release fixes, what it requires, and which steps an upgrade to it takes.

Two trees are compared file by file. A file that cannot be compared makes its step unknown, never "not needed".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mastodon_update_check.domain import release_tree as tree
from mastodon_update_check.domain.changelog import Changelog, Fix, find_fixes
from mastodon_update_check.domain.release_tree import TreeFacts, changelog_of
from mastodon_update_check.domain.versions import MastodonVersion

FIXES_KEPT = 50
POSTGRESQL = "PostgreSQL"
_MINIMUMS = ("Ruby", POSTGRESQL, "Redis", "Node.js")


class UpgradeStep(StrEnum):
    """A step that an upgrade may take; the order of the members is the order of the steps."""

    RUBY = "ruby"
    """Install the Ruby that `.ruby-version` names, where rbenv manages it."""
    BUNDLE_INSTALL = "bundle_install"
    YARN_INSTALL = "yarn_install"
    ASSETS = "assets"
    MIGRATIONS = "migrations"
    RESTART_STREAMING = "restart_streaming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A minimum that the release raises, or that this server does not meet."""

    name: str
    minimum: str
    found: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDetails:
    """The known facts about an upgrade from `installed` to `version`; None stands for unknown."""

    version: MastodonVersion
    installed: MastodonVersion
    fixes: tuple[Fix, ...] | None
    requires: tuple[Requirement, ...] | None
    steps: Mapping[UpgradeStep, bool | None]
    ruby: str = ""

    @property
    def is_container_only(self) -> bool:
        """Return whether everything that it fixes concerns only the container image."""
        return bool(self.fixes) and all(fix.is_container_only for fix in self.fixes or ())

    @property
    def needed(self) -> tuple[UpgradeStep, ...]:
        """The steps that the upgrade takes, in order."""
        return tuple(step for step in UpgradeStep if self.steps.get(step))

    @property
    def unknown(self) -> tuple[UpgradeStep, ...]:
        """The steps of which that is unknown, apart from assets that depend on the front end alone."""
        unknown = (step for step in UpgradeStep if self.steps.get(step) is None)
        return tuple(step for step in unknown if not (step is UpgradeStep.ASSETS and self.asks_front_end))

    @property
    def asks_front_end(self) -> bool:
        """Return whether assets are needed only if the code of the front end has changed, which Git can say."""
        return self.steps.get(UpgradeStep.YARN_INSTALL) is False and self.steps.get(UpgradeStep.ASSETS) is None


def compare(
    offered: TreeFacts, version: MastodonVersion, own: TreeFacts, installed: MastodonVersion, postgresql: str = ""
) -> ReleaseDetails:
    """Compare the tree at `version` with the `own` one, at `installed`; `postgresql` is empty when it is unknown."""
    ruby = offered.get(tree.RUBY_VERSION)
    return ReleaseDetails(
        version=version,
        installed=installed,
        fixes=_fixes(offered, version, own, installed),
        requires=_requirements(offered, own, postgresql),
        steps=_steps(offered, own),
        ruby=ruby if isinstance(ruby, str) else "",
    )


def _fixes(
    offered: TreeFacts, version: MastodonVersion, own: TreeFacts, installed: MastodonVersion
) -> tuple[Fix, ...] | None:
    changelog, former = changelog_of(offered), changelog_of(own)
    if changelog is None or changelog.newest is None or changelog.newest < version:
        return None
    if former is None and version.branch != installed.branch:  # which fixes the own branch has had is unknown
        return None
    return tuple(find_fixes(changelog, version, former or Changelog(), installed)[:FIXES_KEPT])


def _requirements(offered: TreeFacts, own: TreeFacts, postgresql: str) -> tuple[Requirement, ...] | None:
    wanted, had = _minimums(offered), _minimums(own)
    if not wanted:
        return None
    found = []
    for name in _MINIMUMS:
        minimum, in_use = wanted.get(name, ""), postgresql if name == POSTGRESQL else ""
        if not minimum:
            continue
        is_met = _numbers(in_use) >= _numbers(minimum) if in_use else None
        is_raised = name in had and _numbers(minimum) > _numbers(had[name])
        if is_raised or is_met is False:
            found.append(Requirement(name=name, minimum=minimum, found=in_use, is_met=is_met))
    return tuple(found)


def _minimums(facts: TreeFacts) -> dict[str, str]:
    stated, node = facts.get(tree.README), facts.get(tree.PACKAGE)
    found = {name: str(value) for name, value in stated.items()} if isinstance(stated, dict) else {}
    return found | ({"Node.js": node} if isinstance(node, str) and node else {})


def _numbers(text: str) -> tuple[int, ...]:
    """Return `14`, `14.0` and `14beta1` as the same value."""
    numbers = [int(number) for number in re.findall(r"(?:^|\.)([0-9]+)", text)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _steps(offered: TreeFacts, own: TreeFacts) -> Mapping[UpgradeStep, bool | None]:
    gems, packages, ruby = (_changed(path, offered, own) for path in (tree.GEMS, tree.YARN, tree.RUBY_VERSION))
    minors = {_numbers(str(facts.get(tree.RUBY_VERSION)))[:2] for facts in (offered, own)}
    # Which packages streaming depends on is not among the facts.
    streaming = [packages and None, *(_changed(path, offered, own) for path in tree.STREAMING)]
    return {
        UpgradeStep.RUBY: ruby,
        # Another minor version of Ruby has gems of its own.
        UpgradeStep.BUNDLE_INSTALL: True if ruby and len(minors) > 1 else gems,
        UpgradeStep.YARN_INSTALL: packages,
        # The code of the front end is not among the files.
        UpgradeStep.ASSETS: packages or None,
        UpgradeStep.MIGRATIONS: _changed(tree.SCHEMA, offered, own),
        UpgradeStep.RESTART_STREAMING: True if any(streaming) else None if None in streaming else False,
    }


def _changed(path: str, offered: TreeFacts, own: TreeFacts) -> bool | None:
    new, old = (facts.get(path, tree.UNUSABLE) for facts in (offered, own))
    # A fact of another form was kept by another version of this program.
    is_comparable = tree.UNUSABLE not in (new, old) and (type(new) is type(old) or None in (new, old))
    return new != old if is_comparable else None
