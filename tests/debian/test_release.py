"""A release has one version everywhere, and is refused when it would not be the tree of its tag."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mastodon_update_check import __version__

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("packaging/debian/changelog", r"^mastodon-update-check \((.*?)\) stable;"),
        ("packaging/container/compose.yaml", r"image: mastodon-update-check:(\S+)"),
        ("packaging/container/compose.yaml", r"docker load < mastodon-update-check_(.+)\.oci\.tar"),
        ("CHANGELOG.md", r"^## (\d\S+) - \d{4}-\d\d-\d\d$"),
    ],
)
def test_version_is_the_same_everywhere(file: str, pattern: str) -> None:
    """The newest version that each file names is the program's."""
    found = re.search(pattern, (PROJECT / file).read_text(), re.MULTILINE)
    assert found
    assert found[1] == __version__


def git(tree: Path, *words: str) -> None:
    """Run git with an identity of its own."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=tree, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small repository whose version, 1.0.0, has no tag."""
    tree = tmp_path / "tree"
    module = tree / "src" / "mastodon_update_check"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text('__version__ = "1.0.0"\n')
    (tree / "packaging").mkdir()
    shutil.copy(PROJECT / "packaging" / "release", tree / "packaging")
    git(tree, "init", "--quiet")
    git(tree, "add", ".")
    git(tree, "commit", "--quiet", "--message", "Begin")
    return tree


def refusal(tree: Path, **environment: str) -> str:
    """Return the reason why a release is refused, before anything is built."""
    run = subprocess.run(
        [tree / "packaging" / "release", "/usr/bin/python3", tree.parent / "out"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert not (tree.parent / "out").exists()
    return run.stderr


def test_release_that_is_refused(tree: Path, tmp_path: Path) -> None:
    """A branch is not a tag; a release is always signed, with a key that gpg has; and it is the tree of its tag."""
    git(tree, "branch", "v1.0.0")
    assert "expected the tag v1.0.0, found none" in refusal(tree, RELEASE_KEY="X")
    git(tree, "tag", "v1.0.0")
    assert "RELEASE_KEY is not set" in refusal(tree)
    for name, code in {"gpg": 2, "gpgv": 0, "reprepro": 0}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    assert "gpg has no secret key ABCD" in refusal(tree, PATH=f"{tmp_path}:{os.environ['PATH']}", RELEASE_KEY="ABCD")
    (tree / "new").touch()
    assert "the tree has changes" in refusal(tree, RELEASE_KEY="X")
