"""Reading files of another user, with their owner as the intruder."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mastodon_update_check import files
from mastodon_update_check.files import (
    ForeignDirectory,
    follow_trusted,
    is_missing,
    opened_beneath,
    read_foreign,
    read_opened,
)

LIMIT = 1_000
ELSEWHERE = 54_321
"""A user who owns nothing."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a directory of Mastodon's with its file of settings."""
    directory = tmp_path / "live"
    directory.mkdir()
    (directory / ".env.production").write_text("LOCAL_DOMAIN=social.example\n")
    return directory


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Return a directory that belongs to another user, with a file of the name that is looked for."""
    directory = tmp_path / "victim"
    directory.mkdir()
    (directory / ".env.production").write_text("SMTP_PASSWORD=of-another-user\n")
    if os.getuid() == 0:
        os.chown(directory, ELSEWHERE, ELSEWHERE)
        yield directory
    else:  # only root's directories belong to another user then
        yield Path("/etc")


def read(path: Path, trusted_uid: int = ELSEWHERE + 1) -> str:
    """Read the settings of a tree without a trusted owner."""
    with ForeignDirectory(path, trusted_uid) as directory:
        return directory.read_secrets(".env.production", LIMIT)


def test_own_file_is_read(tree: Path) -> None:
    """A regular file of its owner is read."""
    assert read(tree) == "LOCAL_DOMAIN=social.example\n"


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (lambda file: file.symlink_to("/etc/passwd"), "is a symbolic link"),
        (os.mkfifo, "is not a regular file"),
        (Path.mkdir, "it is a directory"),
        (lambda file: file.write_bytes(b"x" * (LIMIT + 1)), "is larger than 1000 bytes"),
    ],
)
def test_special_files_are_refused(tree: Path, attack: Callable[[Path], object], words: str) -> None:
    """A link, a pipe, a directory or a file that is too large is refused at once, with the reason."""
    (tree / ".env.production").unlink()
    attack(tree / ".env.production")
    with pytest.raises((OSError, ValueError), match=words):
        read(tree)


def test_link_to_a_device_is_not_opened(tree: Path) -> None:
    """A link on the way within the tree is refused, wherever it leads."""
    (tree / "lib").symlink_to("/dev")
    with ForeignDirectory(tree) as directory, pytest.raises(OSError, match="is a symbolic link"):
        directory.read_secrets("lib/zero", LIMIT)


def test_hard_link(tree: Path, tmp_path: Path) -> None:
    """A second name of another user's file is not read; of the owner's own it is, and of root's without one."""
    with ForeignDirectory(tree, os.getuid()) as directory:
        directory.owner = ELSEWHERE  # as if the tree were another user's, and the file ours
        assert directory.read_secrets(".env.production", LIMIT) == "LOCAL_DOMAIN=social.example\n"
        os.link(tree / ".env.production", tmp_path / "second")
        with pytest.raises(OSError, match="it is root's and has a second name"):
            directory.read_secrets(".env.production", LIMIT)
    assert read(tree) == "LOCAL_DOMAIN=social.example\n"


def test_file_of_a_third_user(tree: Path) -> None:
    """A file that is neither the owner's nor root's is not read."""
    with ForeignDirectory(tree, ELSEWHERE) as directory:
        directory.owner = ELSEWHERE + 1
        with pytest.raises(OSError, match="belongs neither to the directory's owner nor to root"):
            directory.read_secrets(".env.production", LIMIT)


HOLDER = """
import fcntl, os, signal, sys, time
file = os.open(sys.argv[1], os.O_RDWR)
gives_up = sys.argv[2] == "gives it up"
signal.signal(signal.SIGIO, lambda *_: gives_up and fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK))
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("holds it", flush=True)
while True:
    time.sleep(1)
"""


@pytest.mark.parametrize("holder", ["gives it up", "keeps it"])
def test_lease_is_not_waited_for(tree: Path, monkeypatch: pytest.MonkeyPatch, holder: str) -> None:
    """The holder of a lease on the file is asked for it once, and not waited for as the kernel would, for 45 s."""
    monkeypatch.setattr(files, "LEASE_SECONDS", 0.3)
    command = [sys.executable, "-c", HOLDER, str(tree / ".env.production"), holder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds it\n"
        began = time.monotonic()
        if holder == "keeps it":
            with pytest.raises(OSError, match="another process holds a lease on it"):
                read(tree)
        else:
            assert read(tree) == "LOCAL_DOMAIN=social.example\n"
        assert time.monotonic() - began < 30
        process.kill()


def test_file_in_a_directory_of_the_trusted(tree: Path) -> None:
    """Where only the trusted user creates names, a file may have any owner, for example mounted into a container."""
    with ForeignDirectory(tree, os.getuid()) as directory:
        if os.getuid() == 0:
            os.chown(tree / ".env.production", ELSEWHERE, ELSEWHERE)
        assert directory.read_secrets(".env.production", LIMIT) == "LOCAL_DOMAIN=social.example\n"


def test_links_of_trusted_users(tree: Path, tmp_path: Path) -> None:
    """A link to a file is followed for its creator alone; a ring of them ends."""
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to(tree / ".env.production")
    (tmp_path / "ring").symlink_to("ring")
    assert read_foreign(follow_trusted(tmp_path / "first", {os.getuid()}), LIMIT) == "LOCAL_DOMAIN=social.example\n"
    for path, trusted in ((tmp_path / "first", ELSEWHERE), (tmp_path / "ring", os.getuid())):
        with pytest.raises(OSError, match="is a symbolic link"):
            read_foreign(follow_trusted(path, {trusted}), LIMIT)


def test_tree_that_was_moved(tree: Path, tmp_path: Path) -> None:
    """A link that stands for the tree is followed: its maker owns where it leads."""
    tree.rename(tmp_path / "moved")
    (tmp_path / "current").symlink_to("moved")
    tree.symlink_to(tmp_path / "current")
    assert read(tree) == "LOCAL_DOMAIN=social.example\n"


def test_link_to_a_directory_of_another_user(tree: Path, victim: Path, tmp_path: Path) -> None:
    """A link that its maker has set to another user's directory is refused, also by way of one more link."""
    tree.rename(tmp_path / "moved")
    (tmp_path / "current").symlink_to(victim)
    tree.symlink_to("current")
    with pytest.raises(OSError, match="leads to a directory of another user"):
        read(tree)


def test_roots_link_leads_anywhere(victim: Path, tmp_path: Path) -> None:
    """A link made by root is root's decision."""
    (tmp_path / "live").symlink_to(victim)
    with ForeignDirectory(tmp_path / "live", trusted_uid=os.getuid()) as directory:
        assert victim.stat().st_uid == directory.owner


def test_ring_of_links(tmp_path: Path) -> None:
    """Links that lead in a circle end."""
    (tmp_path / "live").symlink_to("live")
    with pytest.raises(OSError, match="too many symbolic links"):
        ForeignDirectory(tmp_path / "live")


@pytest.mark.parametrize(("path", "words"), [("live", "not an absolute path"), ("/etc/passwd", "is not a directory")])
def test_path_without_a_directory_is_refused(path: str, words: str) -> None:
    """A relative path is refused, and so is a file in a directory's place."""
    with pytest.raises(OSError, match=words):
        ForeignDirectory(Path(path))


def test_exchanged_between_check_and_use(tree: Path, tmp_path: Path) -> None:
    """The verified file is the one that is read, even if its name is replaced; and so is the directory."""
    with ForeignDirectory(tree) as directory:
        tree.rename(tmp_path / "aside")
        tree.mkdir()
        (tree / ".env.production").write_text("SMTP_SERVER=evil.example\n")
        assert directory.read_secrets(".env.production", LIMIT) == "LOCAL_DOMAIN=social.example\n"
    opened = os.open(tree, os.O_PATH)
    try:
        with opened_beneath(opened, ".env.production") as file:
            (tree / ".env.production").unlink()
            (tree / ".env.production").symlink_to("/etc/passwd")
            assert read_opened(file, LIMIT) == b"SMTP_SERVER=evil.example\n"
    finally:
        os.close(opened)


def test_nothing_is_left_open(tree: Path, tmp_path: Path) -> None:
    """Whether it works or not, every descriptor is closed."""
    before = len([*Path("/proc/self/fd").iterdir()])
    (tmp_path / "link").symlink_to("/etc/passwd")
    for path in (tree, tmp_path / "link", tmp_path / "none"):
        with pytest.raises((OSError, ValueError)), ForeignDirectory(path) as directory:
            directory.read_secrets("none", LIMIT)
    assert before == len([*Path("/proc/self/fd").iterdir()])


def test_unreadable_path_is_not_missing(tree: Path, tmp_path: Path) -> None:
    """A file in an unreadable directory, or a link to itself, may exist; that is not an error."""
    (tmp_path / "loop").symlink_to("loop")
    paths = (tree, tree / "none", tree / ".env.production/none", tmp_path / "loop")
    assert [is_missing(path) for path in paths] == [False, True, True, False]
    with tempfile.TemporaryDirectory() as closed:
        Path(closed).chmod(0)
        before = os.geteuid()
        if before == 0:
            os.seteuid(ELSEWHERE)
        try:
            assert not is_missing(Path(closed, "live"))
        finally:
            os.seteuid(before)
