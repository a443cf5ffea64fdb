"""The file for Prometheus, as the program writes it."""

from pathlib import Path

from end_to_end.world import World


def _values(path: Path) -> dict[str, str]:
    lines = [line.rpartition(" ") for line in path.read_text().splitlines() if not line.startswith("#")]
    return {name: value for name, _, value in lines}


def test_check_writes_the_metrics(world: World) -> None:
    """The file has the values of `status` after each check."""
    path = world.directory / "update_check.prom"
    world.set(UPDATE_CHECK_METRICS_FILE=str(path))
    world.update_server.publish("4.5.20", urgent=True, type="patch")
    world.check()
    values = _values(path)
    assert values['mastodon_update_check_status{server="social.example"}'] == "2.0"
    assert values['mastodon_update_check_urgent_updates_to_act_on{server="social.example"}'] == "1.0"
    labels = 'installed_version="4.5.19",server="social.example"'
    assert any(name.startswith("mastodon_update_check_info{") and labels in name for name in values)
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    world.check()
    assert _values(path)['mastodon_update_check_status{server="social.example"}'] == "0.0"


HANGING = """
import tempfile, time

whole = tempfile.mkstemp

def mkstemp(*arguments, **more):
    if "/hanging" in str(more.get("dir", "")):
        time.sleep(600)
    return whole(*arguments, **more)

tempfile.mkstemp = mkstemp

from mastodon_update_check import app
app.PUBLISH_SECONDS = 1.0
"""


def test_file_system_that_hangs_keeps_nobody_from_being_notified(world: World, tmp_path: Path) -> None:
    """The check goes on without the page, with a warning."""
    for name in ("site", "hanging"):
        (tmp_path / name).mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HANGING)
    world.set(PYTHONPATH=str(tmp_path / "site"), UPDATE_CHECK_PAGE_FILE=str(tmp_path / "hanging" / "index.html"))
    world.update_server.publish("4.5.20", urgent=True)
    finished = world.check()
    assert (finished.code, len(world.mails)) == (0, 1)
    assert "does their file system hang?" in finished.events("publish.failed")[0]["detail"]
    assert "does their file system hang?" in world.run("status").out
