"""Trees of several tags, in a Git repository: the predicted steps are those that really differ, in both directions."""

import shlex
import subprocess
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

import pytest

from domain.examples import update, version
from mastodon_update_check.domain.release_details import ReleaseDetails, UpgradeStep, compare
from mastodon_update_check.domain.release_tree import FILES, TreeFacts, extract
from mastodon_update_check.domain.routes import Station
from mastodon_update_check.domain.upgrades import CommandStep, CommandValues, InstallKind, write_steps
from simulators.release_source import SCHEMA, TREE

MIGRATED = SCHEMA.replace("210145", "210146")
CHANGED: dict[str, Mapping[str, str]] = {
    "4.5.1": TREE,
    "4.5.2": {"app/models/account.rb": "2"},
    "4.5.3": {"Gemfile.lock": "GEM\n    rails (8.0.4)\n"},
    "4.5.4": {"app/javascript/mastodon/main.tsx": "4"},
    "4.5.5": {"yarn.lock": "react 18.3.0\n"},
    "4.5.6": {"yarn.lock": "react 18.3.0\ncookie 0.7.0\n"},
    "4.5.7": {"db/schema.rb": MIGRATED, "db/migrate/20251023210146_add.rb": ""},
    "4.5.8": {"streaming/index.js": "8", "README.md": TREE["README.md"].replace("13+", "14+")},
    "4.5.9": {".ruby-version": "3.4.8\n"},
    "4.6.0": {
        **{path: text.replace("4.5", "4.6") for path, text in TREE.items()},
        "Gemfile.lock": "GEM\n    rails (8.1.0)\n",
        "yarn.lock": "react 19.0.0\nexpress 5.0.0\n",
        "db/schema.rb": MIGRATED.replace("210146", "220000"),
        "streaming/package.json": '{"name": "@mastodon/streaming", "private": true}',
        ".ruby-version": "4.0.6\n",
        "vite.config.mts": "6",
    },
    "4.6.1": {"app/models/account.rb": "61"},
    "4.6.2": {"db/schema.rb": MIGRATED.replace("210146", "220000").replace("[8.0]", "[8.1]")},
}
"""The files that each tag changes, from tag to tag."""
NO_MIGRATIONS = {("4.6.1", "4.6.2"), ("4.6.0", "4.6.2")}
"""Between these, only the version of Rails in the schema differs."""
PROGRAMS = {
    "rbenv": UpgradeStep.RUBY,
    "bundle install": UpgradeStep.BUNDLE_INSTALL,
    "yarn": UpgradeStep.YARN_INSTALL,
    "bundle exec rails db:migrate": UpgradeStep.MIGRATIONS,
    "bundle exec rails assets:precompile": UpgradeStep.ASSETS,
}
PAIRS = list(permutations(CHANGED, 2))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with the tags, whose programs only note that they were run."""
    root = tmp_path_factory.mktemp("live")
    git(root, "init", "--quiet")
    for tag, files in CHANGED.items():
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", f"v{tag}")
    programs = programs_beside(root)
    programs.mkdir()
    for name in ("bundle", "yarn", "rbenv"):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*"\n')
        (programs / name).chmod(0o755)
    return root


def programs_beside(root: Path) -> Path:
    """Return where the programs are that only note that they were run."""
    return root.with_name(f"{root.name}-programs")


def git(root: Path, *arguments: str) -> str:
    """Run Git without anybody's settings; return its output."""
    who = ("-c", "user.name=mastodon", "-c", "user.email=mastodon@social.example")
    command = ("git", "-C", str(root), *who, *arguments)
    environment = {"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def read_tree(root: Path, tag: str) -> TreeFacts:
    """Return the facts of the tree at a tag."""
    present = git(root, "ls-tree", "-r", "--name-only", f"v{tag}").splitlines()
    return {
        path: extract(path, git(root, "show", f"v{tag}:{path}").encode()) if path in present else None for path in FILES
    }


@pytest.fixture(scope="module")
def trees(repository: Path) -> dict[str, TreeFacts]:
    """Return the facts of every tag."""
    return {tag: read_tree(repository, tag) for tag in CHANGED}


def predict(trees: Mapping[str, TreeFacts], installed: str, offered: str) -> ReleaseDetails:
    """Return what is predicted of one upgrade, or step back."""
    return compare(trees[offered], version(offered), trees[installed], version(installed))


def find_difference(root: Path, installed: str, offered: str) -> set[UpgradeStep]:
    """Return the steps that really differ, by what Git says and by what the tags are known to change."""
    names = git(root, "diff", "--name-only", f"v{installed}", f"v{offered}").splitlines()
    between = sorted([installed, offered], key=version)
    tags = {tag for tag in CHANGED if version(between[0]) < version(tag) <= version(between[1])}
    needed = {
        UpgradeStep.RUBY: ".ruby-version" in names,
        UpgradeStep.BUNDLE_INSTALL: "Gemfile.lock" in names or "4.6.0" in tags,
        UpgradeStep.YARN_INSTALL: "yarn.lock" in names,
        UpgradeStep.ASSETS: any(name.startswith(("yarn.lock", "app/javascript", "vite.config")) for name in names),
        UpgradeStep.MIGRATIONS: "db/schema.rb" in names and tuple(between) not in NO_MIGRATIONS,
        UpgradeStep.RESTART_STREAMING: any(name.startswith(("streaming/", "yarn.lock")) for name in names),
    }
    return {step for step, is_needed in needed.items() if is_needed}


@pytest.mark.parametrize(("installed", "offered"), PAIRS)
def test_predicted_steps_are_those_that_differ(
    repository: Path, trees: Mapping[str, TreeFacts], installed: str, offered: str
) -> None:
    """Every step is predicted if it is needed, and only then; assets without new packages are left to Git.

    It is unknown whether streaming depends on new packages.
    """
    found, real = predict(trees, installed, offered), find_difference(repository, installed, offered)
    without_assets = {UpgradeStep.ASSETS} if found.asks_front_end else set()
    assert set(found.unknown) <= {UpgradeStep.RESTART_STREAMING} & real
    assert set(found.needed) == real - without_assets - set(found.unknown)
    assert set(found.not_needed) == set(UpgradeStep) - real - without_assets
    assert found.is_restart_enough is not bool(real - without_assets)


@pytest.mark.parametrize(("installed", "offered"), [pair for pair in PAIRS if {*pair} & {"4.5.4", "4.6.1"}])
def test_commands_of_the_route_take_those_steps(
    repository: Path, trees: Mapping[str, TreeFacts], installed: str, offered: str
) -> None:
    """Run in the repository, they build the assets if the code of the front end differs, and only then."""
    station = Station(series=version(offered).branch_key, update=update(offered))
    place = CommandValues(kind=InstallKind.SOURCE, root=str(repository))
    steps = write_steps(place, station, version(installed), predict(trees, installed, offered))
    commands = [step.text for step in steps if isinstance(step, CommandStep)]
    taken = commands[commands.index(f"git checkout v{offered}") : commands.index("exit")]
    script = "\n".join([f"cd {shlex.quote(str(repository))}", f"git checkout --quiet v{installed}", *taken])
    environment = {"PATH": f"{programs_beside(repository)}:/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null"}
    ended = subprocess.run(("bash", "-e", "-c", script), env=environment, check=True, capture_output=True, text=True)
    run = {step for line in ended.stdout.splitlines() for start, step in PROGRAMS.items() if line.startswith(start)}
    real = find_difference(repository, installed, offered)
    assert run == real - {UpgradeStep.RESTART_STREAMING}
    is_restarted = any(command.startswith("systemctl restart mastodon-streaming") for command in commands)
    assert is_restarted is (UpgradeStep.RESTART_STREAMING in real)
