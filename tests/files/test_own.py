"""Files that are replaced in one step."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from mastodon_update_check.files import replace_file


@pytest.mark.parametrize("before", ["missing", "file", "link", "dangling link"])
def test_any_existing_file_is_replaced(tmp_path: Path, before: str) -> None:
    """The new content has the name afterwards, with its mode; a link's target stays as it was, and no draft is left."""
    path, target = tmp_path / "page.html", tmp_path / "target"
    if before == "file":
        path.write_text("old")
    elif "link" in before:
        path.symlink_to(target)
    if before == "link":
        target.write_text("untouched")
    replace_file(path, b"new", mode=0o640)
    assert (path.read_bytes(), path.is_symlink(), path.stat().st_mode & 0o777) == (b"new", False, 0o640)
    assert sorted(tmp_path.iterdir()) == ([path, target] if before == "link" else [path])
    assert before != "link" or target.read_text() == "untouched"


@pytest.mark.parametrize("kind", ["pipe", "directory", "device"])
def test_anything_but_a_file_is_refused(tmp_path: Path, kind: str) -> None:
    """A pipe, a directory or a device in the file's place is neither written to nor replaced."""
    path = Path("/dev/null") if kind == "device" else tmp_path / "page.html"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    with pytest.raises(OSError, match="it is not a regular file"):
        replace_file(path, b"new")
    assert not path.is_file()


def test_owner_is_not_touched_without_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the service's sandbox chown is refused, so it is not called unless a group is given."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "refused")

    monkeypatch.setattr(os, "fchown", refuse)
    replace_file(tmp_path / "page.html", b"new")
    with pytest.raises(PermissionError):
        replace_file(tmp_path / "page.html", b"newer", group=os.getgid())


def test_failed_draft_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk fails, the old content stays and the draft is removed."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "the disk has failed")

    path = tmp_path / "page.html"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk has failed"):
        replace_file(path, b"new")
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(path, "old")]


def test_draft_that_is_exchanged_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of the page's directory, who sees a draft appear, cannot have another file of ours overwritten."""
    ledger = tmp_path / "ledger.sqlite3"
    ledger.write_text("ours")
    ledger.chmod(0o600)
    directory = tmp_path / "www"
    directory.mkdir()

    mkstemp = tempfile.mkstemp

    def exchange(*, prefix: str, dir: Path) -> tuple[int, str]:  # noqa: A002 - as the library names it
        descriptor, name = mkstemp(prefix=prefix, dir=dir)
        Path(name).unlink()
        Path(name).symlink_to(ledger)
        return descriptor, name

    monkeypatch.setattr(tempfile, "mkstemp", exchange)
    replace_file(directory / "index.html", b"page", mode=0o644)
    assert (ledger.read_text(), ledger.stat().st_mode & 0o777) == ("ours", 0o600)
