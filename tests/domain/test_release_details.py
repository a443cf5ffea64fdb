"""Two trees compared: what a release requires, and which steps an upgrade to it takes."""

import json
from collections.abc import Mapping

import pytest

from domain.examples import cases, update, version
from mastodon_update_check.domain.release_details import (
    ReleaseDetails,
    Requirement,
    UpgradeStep,
    compare,
)
from mastodon_update_check.domain.release_tree import FILES, UNUSABLE, extract
from mastodon_update_check.domain.server.state import ServerState
from simulators.release_source import README, SCHEMA, TREE

NEEDED, NOT_NEEDED, UNKNOWN = True, False, None
NOTHING = {
    UpgradeStep.RUBY: NOT_NEEDED,
    UpgradeStep.BUNDLE_INSTALL: NOT_NEEDED,
    UpgradeStep.YARN_INSTALL: NOT_NEEDED,
    UpgradeStep.ASSETS: UNKNOWN,
    UpgradeStep.MIGRATIONS: NOT_NEEDED,
    UpgradeStep.RESTART_STREAMING: NOT_NEEDED,
}


def facts(tree: Mapping[str, str]) -> dict[str, object]:
    """Return the facts of a tree as the ledger keeps them; files that it lacks are recorded as missing."""
    found = {path: extract(path, tree[path].encode()) if path in tree else None for path in FILES}
    kept: dict[str, object] = json.loads(json.dumps(found))
    return kept


def details(
    changed: Mapping[str, str], *, installed: str = "4.6.3", offered: str = "4.6.4", postgresql: str = ""
) -> ReleaseDetails:
    """Compare the tree with one in which some files have changed."""
    return compare(facts({**TREE, **changed}), version(offered), facts(TREE), version(installed), postgresql)


def schema(old: str, new: str) -> dict[str, str]:
    """Return a change of the schema."""
    return {"db/schema.rb": SCHEMA.replace(old, new)}


@cases(
    "changed expected",
    ("nothing", {}, ""),
    ("gems", {"Gemfile.lock": "GEM\n"}, "bundle_install"),
    ("packages, on which streaming may depend", {"yarn.lock": ""}, "yarn_install assets restart_streaming?"),
    ("and its code", {"yarn.lock": "", "streaming/index.js": ""}, "yarn_install assets restart_streaming"),
    ("migrations", schema("210145", "210146"), "migrations"),
    ("a migration older than the newest one, as in a backport", schema("accounts", "users"), "migrations"),
    ("only a newer Rails", schema("[8.0]", "[8.1]"), ""),
    ("packages of streaming", {"streaming/package.json": "{}"}, "restart_streaming"),
    ("code of streaming", {"streaming/index.js": ""}, "restart_streaming"),
    ("a new file of streaming", {"streaming/redis.js": ""}, "restart_streaming"),
    ("a patch of Ruby", {".ruby-version": "3.4.8"}, "ruby"),
    ("another Ruby, which has gems of its own", {".ruby-version": "4.0.6"}, "ruby bundle_install"),
    ("what takes no step", {"README.md": "", "package.json": "[", "CHANGELOG.md": ""}, ""),
)
def test_steps(changed: Mapping[str, str], expected: str) -> None:
    """Each step follows from its file, in both directions; an unchanged file needs none. `?` stands for unknown."""
    steps = {UpgradeStep(name.rstrip("?")): UNKNOWN if "?" in name else NEEDED for name in expected.split()}
    assert details(changed).steps == {**NOTHING, **steps}
    backwards = compare(facts(TREE), version("4.6.4"), facts({**TREE, **changed}), version("4.6.3"))
    assert backwards.steps == {**NOTHING, **steps}
    assert bool(details(changed).needed or details(changed).unknown) is bool(expected)


@pytest.mark.parametrize("path", [path for path in FILES if path not in {"CHANGELOG.md", "README.md", "package.json"}])
def test_a_file_that_was_not_read_leaves_its_step_unknown(path: str) -> None:
    """Unknown is neither needed nor "not needed", and a restart is not called enough; the same for unusable files."""
    without = facts(TREE)
    del without[path]
    unusable = facts(TREE) | {path: UNUSABLE}
    for found in (
        compare(without, version("4.6.4"), facts(TREE), version("4.6.3")),
        compare(facts(TREE), version("4.6.4"), without, version("4.6.3")),
        compare(unusable, version("4.6.4"), unusable, version("4.6.3")),
    ):
        assert found.unknown
        assert found.needed == ()


def test_without_any_file_everything_is_unknown() -> None:
    """Nothing is claimed."""
    found = compare({}, version("4.6.4"), {}, version("4.6.3"))
    assert (found.fixes, found.requires, found.unknown) == (None, None, tuple(UpgradeStep))


def readme(old: str, new: str) -> dict[str, str]:
    """Return a change of the README."""
    return {"README.md": README.replace(old, new)}


NODE = {"package.json": '{"engines": {"node": ">=22 <25"}}'}


@cases(
    "changed postgresql expected",
    ("nothing rises", {}, "", []),
    ("the same in other words", readme("13+", "13.0+"), "", []),
    ("PostgreSQL rises", readme("13+", "14+"), "", [("PostgreSQL", "14", "", None)]),
    ("the server is too old", readme("13+", "14+"), "13.14", [("PostgreSQL", "14", "13.14", False)]),
    ("the server will do", readme("13+", "14+"), "14.0", [("PostgreSQL", "14", "14.0", True)]),
    ("the server is too old already", {}, "12.9", [("PostgreSQL", "13", "12.9", False)]),
    ("a beta of the server", {}, "17beta1", []),
    ("Node.js rises", NODE, "", [("Node.js", "22", "", None)]),
    ("Ruby rises", readme("3.3+", "3.4+"), "", [("Ruby", "3.4", "", None)]),
    ("Redis rises", readme("6.2", "7.0"), "", [("Redis", "7.0", "", None)]),
    ("a minimum falls", readme("6.2", "6.0"), "", []),
)
def test_requirements(
    changed: Mapping[str, str], postgresql: str, expected: list[tuple[str, str, str, bool | None]]
) -> None:
    """A minimum is named when it rises; PostgreSQL's is compared with the server in use."""
    found = details(changed, postgresql=postgresql).requires
    assert found == tuple(Requirement(name=n, minimum=m, found=f, is_met=i) for n, m, f, i in expected)


def test_requirements_without_a_section_are_unknown() -> None:
    """A README without minimums raises none, and says nothing."""
    assert details({"README.md": "# Mastodon", "package.json": "{}"}).requires is None


@pytest.mark.parametrize("package", ["", "[]", "{}", '{"engines": 1}', '{"engines": {"node": 22}}', "[" * 99_999])
def test_any_package_file_is_read(package: str) -> None:
    """Without a readable minimum README's counts."""
    assert details({"package.json": package}).requires == ()


def test_fixes_need_a_changelog_that_knows_the_release() -> None:
    """One that does not list the release, as that of a nightly build, says nothing about it."""
    assert details({}).fixes is not None
    assert details({}, offered="4.6.6").fixes is None
    assert details({"CHANGELOG.md": "# Changelog"}).fixes is None


def test_fixes_across_branches_need_the_changelog_of_the_installed_release() -> None:
    """Otherwise fixes that its branch has had would be named again."""
    own = facts(TREE)
    del own["CHANGELOG.md"]
    assert compare(facts(TREE), version("4.6.4"), own, version("4.5.11")).fixes is None
    assert len(compare(facts(TREE), version("4.6.4"), own, version("4.6.3")).fixes or ()) == 2


def test_container_only() -> None:
    """A release that fixes nothing else concerns containers only; one without fixes does not."""
    assert details({}, installed="4.6.1", offered="4.6.2").is_container_only
    assert not details({}, installed="4.6.1", offered="4.6.4").is_container_only
    assert not details({}, installed="4.6.4", offered="4.6.5").is_container_only


def test_the_ledger_keeps_facts_and_no_details() -> None:
    """Details are what the facts of the trees show, whenever the state is read."""
    trees = {"4.6.3": facts(TREE), "4.6.4": facts({**TREE, "Gemfile.lock": "GEM\n"})}
    state = ServerState(
        installed=version("4.6.3"), updates=(update("4.6.4"), update("4.6.5")), release_facts=trees, postgresql="12.9"
    )
    kept = state.to_json()
    assert "details" not in kept
    assert ServerState.from_json(json.loads(json.dumps(kept))) == state
    [found] = state.details
    assert (found.needed, found.requires) == ((UpgradeStep.BUNDLE_INSTALL,), details({}, postgresql="12.9").requires)
    assert state.details_of(version("4.6.5")) is None


@pytest.mark.parametrize("fact", [["a digest", "another"], {}])
def test_a_fact_kept_by_another_version_of_the_program_is_unknown(fact: object) -> None:
    """A fact of another form is not compared."""
    found = compare(facts(TREE), version("4.6.4"), facts(TREE) | {"yarn.lock": fact}, version("4.6.3"))
    assert found.unknown == (UpgradeStep.YARN_INSTALL, UpgradeStep.ASSETS, UpgradeStep.RESTART_STREAMING)
