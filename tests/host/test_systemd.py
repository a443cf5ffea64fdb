"""The owner of Mastodon's tree, and its units."""

import os
import pwd
from pathlib import Path

import pytest

from mastodon_update_check.host import systemd
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.host.systemd import find_owner, find_units


def test_owner_of_the_version_not_of_the_mount_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the sandbox systemd has made the tree's root to bind directories below it: its owner is not the tree's."""
    (tmp_path / "lib/mastodon").mkdir(parents=True)
    stat = Path.stat

    def as_in_sandbox(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(stat(path, follow_symlinks=follow_symlinks))
        found[4] = os.getuid() if path.name == "mastodon" else 0 if os.getuid() else 1
        return os.stat_result(found)

    monkeypatch.setattr(Path, "stat", as_in_sandbox)
    assert find_owner(tmp_path) == pwd.getpwuid(os.getuid()).pw_name


def test_owner_that_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tree, or where a user namespace hides its owner, the user of Mastodon's guide is named."""
    assert find_owner(tmp_path / "missing") == "mastodon"
    (tmp_path / "lib/mastodon").mkdir(parents=True)
    monkeypatch.setattr(systemd, "_UNMAPPED_UID", os.getuid())
    assert find_owner(tmp_path) == "mastodon"


def test_units_are_those_that_run_in_the_tree(tmp_path: Path) -> None:
    """Another server's units, and `-web` units of other programs, are not restarted; a link to the tree is the tree."""
    (tmp_path / "real").mkdir()
    (tmp_path / "live").symlink_to("real")
    shown = [
        f"WorkingDirectory={tmp_path}/real\nId=masto-web.service",
        f"Id=masto-sidekiq@push.service\nWorkingDirectory=!{tmp_path}/live",
        "WorkingDirectory=/srv/other/live\nId=other-web.service",
        "WorkingDirectory=\nId=cockpit-web.service",
    ]
    answer = Finished(code=0, out="\n\n".join(shown))
    assert find_units(tmp_path / "live", lambda *_, **__: answer) == ("masto-sidekiq@push", "masto-web")


@pytest.mark.parametrize("answer", [Finished(code=0), Finished(code=127), Finished(code=0, out="\n\n\x00")])
def test_without_units_the_usual_ones(tmp_path: Path, answer: Finished) -> None:
    """Where systemd knows none, or is missing, the names of Mastodon's guide are given."""
    expected = ("mastodon-sidekiq", "mastodon-web", "mastodon-streaming")
    assert find_units(tmp_path, lambda *_, **__: answer) == expected


def test_unit_in_a_loop_of_links_is_passed_over(tmp_path: Path) -> None:
    """Another user's directory that leads to itself does not make a check fail."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    answer = Finished(code=0, out=f"Id=other-sidekiq.service\nWorkingDirectory={tmp_path}/loop\nActiveState=active\n")
    assert find_units(tmp_path, lambda *_, **__: answer) == ("mastodon-sidekiq", "mastodon-web", "mastodon-streaming")
