"""Release details: what a release fixes, what it requires, and which steps an upgrade to it takes.

Both trees are compared file by file. Whatever cannot be compared is unknown, never "not needed".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mastodon_update_check.domain.changelog import Changelog, Fix, find_fixes
from mastodon_update_check.domain.release_tree import (
    GEMS,
    PACKAGE,
    README,
    RUBY_VERSION,
    SCHEMA,
    STREAMING,
    UNUSABLE,
    YARN,
    TreeFacts,
    changelog_of,
)
from mastodon_update_check.domain.stored_json import from_json
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
    """The version in use; empty when it is unknown."""
    is_met: bool | None = None
    """None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDetails:
    """The known facts about an upgrade from `installed` to `version`."""

    version: MastodonVersion
    installed: MastodonVersion
    fixes: tuple[Fix, ...] | None
    """Newest first; None: unknown."""
    requires: tuple[Requirement, ...] | None
    """None: unknown."""
    steps: Mapping[UpgradeStep, bool | None]
    """True if each step is needed; None: unknown."""
    ruby: str = ""
    """The Ruby that the release's `.ruby-version` names."""

    @property
    def is_container_only(self) -> bool:
        """Return whether everything that it fixes concerns only the container image."""
        return bool(self.fixes) and all(fix.is_container_only for fix in self.fixes or ())

    @property
    def needed(self) -> tuple[UpgradeStep, ...]:
        """The steps that the upgrade takes, in order."""
        return tuple(step for step in UpgradeStep if self.steps.get(step))

    @property
    def not_needed(self) -> tuple[UpgradeStep, ...]:
        """The steps that the upgrade does not take."""
        return tuple(step for step in UpgradeStep if self.steps.get(step) is False)

    @property
    def unknown(self) -> tuple[UpgradeStep, ...]:
        """The steps of which that is unknown."""
        return tuple(step for step in UpgradeStep if self.steps.get(step) is None)

    @property
    def is_restart_enough(self) -> bool:
        """Return whether nothing that was compared has changed; a change of the front end cannot be seen."""
        return not self.needed and self.unknown == (UpgradeStep.ASSETS,)


def compare(
    offered: TreeFacts, version: MastodonVersion, own: TreeFacts, installed: MastodonVersion, postgresql: str = ""
) -> ReleaseDetails:
    """Compare the trees of two releases.

    Args:
        offered: the facts of the tree at `version`.
        version: the release that is offered.
        own: the facts of the tree at `installed`.
        installed: the installed version.
        postgresql: version of the database server in use; empty when it is unknown.
    """
    ruby = offered.get(RUBY_VERSION)
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
    stated = facts.get(README)
    found = {name: str(value) for name, value in stated.items()} if isinstance(stated, dict) else {}
    node = facts.get(PACKAGE)
    if isinstance(node, str) and node:
        found["Node.js"] = node
    return found


def _numbers(text: str) -> tuple[int, ...]:
    """Return `14` and `14.0` as the same value."""
    numbers = [int(part) for part in text.split(".") if part.isdecimal()]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _steps(offered: TreeFacts, own: TreeFacts) -> Mapping[UpgradeStep, bool | None]:
    gems, packages, ruby = (_changed(path, offered, own) for path in (GEMS, YARN, RUBY_VERSION))
    streaming = _any([_changed(path, offered, own) for path in STREAMING])
    return {
        UpgradeStep.RUBY: ruby,
        UpgradeStep.BUNDLE_INSTALL: True if ruby and _has_new_minor(offered, own) else gems,
        UpgradeStep.YARN_INSTALL: packages,
        # The code of the front end is not among the files: without new packages it is unknown whether it has changed.
        UpgradeStep.ASSETS: packages or None,
        UpgradeStep.MIGRATIONS: _changed(SCHEMA, offered, own),
        # New packages may be those of streaming.
        UpgradeStep.RESTART_STREAMING: None if packages is not False and streaming is False else streaming,
    }


def _changed(path: str, offered: TreeFacts, own: TreeFacts) -> bool | None:
    if UNUSABLE in (offered.get(path, UNUSABLE), own.get(path, UNUSABLE)):
        return None
    return offered[path] != own[path]


def _any(changes: list[bool | None]) -> bool | None:
    if any(changes):
        return True
    return None if None in changes else False


def _has_new_minor(offered: TreeFacts, own: TreeFacts) -> bool:
    """Return whether the gems belong to another minor version of Ruby."""
    new, old = _numbers(str(offered[RUBY_VERSION])), _numbers(str(own[RUBY_VERSION]))
    return new[:2] != old[:2]


def read_details(entries: list[Any]) -> tuple[ReleaseDetails, ...]:
    """Read details back from the ledger; what another version of this program wrote may be left out."""
    try:
        return tuple(from_json(ReleaseDetails, entry) for entry in entries)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()
