"""The answers of systemd, the owner of Mastodon's tree, and its units."""

import os
import pwd
from pathlib import Path

import pytest

from mastodon_update_check.host import systemd
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.host.systemd import Properties, find_owner, find_units, show, show_unit


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


SHOWN = """\
Id=mastodon-web.service
Environment=RAILS_ENV=production "B=two words" "C=d\\"e"
Environment="X='1"
EnvironmentFiles=/etc/a (ignore_errors=no)
EnvironmentFiles=/etc/b (ignore_errors=yes)
Description=a\x1b[1mb

Id=mastodon-puma.service
User=
"""


def test_properties() -> None:
    """Each unit has its properties; some have several lines; quotes in variables mean what they mean to systemd."""
    web, puma = show(["*"], "Id", lambda *_, **__: Finished(code=0, out=SHOWN))
    assert (web.one("Id"), puma.one("Id"), puma.one("User")) == ("mastodon-web.service", "mastodon-puma.service", "")
    assert web.all("EnvironmentFiles") == ["/etc/a (ignore_errors=no)", "/etc/b (ignore_errors=yes)"]
    assert (web.variables["B"], web.variables["C"]) == ("two words", 'd"e')
    assert "\x1b" not in web.one("Description")
    assert Properties("").variables == {}


def test_without_systemd() -> None:
    """Where systemctl is missing or fails, nothing is known of any unit."""
    assert show_unit("x.service", "Id", lambda *_, **__: Finished(code=127)) is None
