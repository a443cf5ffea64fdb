"""`status`: how the server stands, with the exit codes of monitoring plugins."""

from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.world import World


@pytest.mark.parametrize(
    ("version", "urgent", "minutes", "code", "said"),
    [
        pytest.param("4.5.19", False, 110, 0, "OK - social.example: nothing to do", id="nothing is newer"),
        pytest.param("4.5.20", False, 0, 1, "WARNING", id="a patch of the own branch"),
        pytest.param("4.5.20", True, 130, 2, "install 4.5.20", id="urgent; critical before unknown"),
        pytest.param("4.5.20", False, 130, 3, "no check has worked since", id="silence; unknown before warning"),
    ],
)
def test_verdict(world: World, version: str, minutes: int, code: int, said: str, *, urgent: bool) -> None:
    """Each level has its exit code; domain/test_status.py has every reason."""
    world.only("log")
    world.update_server.publish(version, urgent=urgent)
    world.check()
    world.let_pass(minutes=minutes)
    finished = world.run("status")
    first = finished.out.splitlines()[0]
    assert (finished.code, said in first, finished.err) == (code, True, ""), first
    assert first.startswith("MASTODON-UPDATE-CHECK ")


def test_something_undelivered(mail_world: World) -> None:
    """Messages that are undelivered for six hours are a warning, with the server's reply."""
    mail_world.smtp.replies["MAIL"] = "451 4.7.1 greylisted"
    mail_world.update_server.publish("4.6.0", type="minor")
    mail_world.set(UPDATE_CHECK_INTERVAL="1d")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    assert mail_world.run("status").code == 0
    mail_world.let_pass(hours=5, minutes=50)
    assert mail_world.run("status").code == 0
    mail_world.let_pass(minutes=20)
    finished = mail_world.run("status")
    assert (finished.code, "something has not been delivered since" in finished.out) == (1, True), finished.out
    assert "451 4.7.1 greylisted" in finished.out
    answer = mail_world.run("status", "--json").json
    assert tuple(answer[key] for key in ("level", "deferred", "failed")) == ("warning", 1, 0)


def test_held_back_mails_are_said(mail_world: World) -> None:
    """The seventh mail of a day waits for the next day, and `status` says so."""
    for number in range(20, 27):
        mail_world.update_server.publish(f"4.5.{number}")
        result = mail_world.check().result
    assert (result, len(mail_world.mails)) == ((75, 1, 0, 1, 0), 6)
    assert mail_world.run("status", "--json").json["held_back"] == 1
    assert "1 held back" in mail_world.run("status").out
    mail_world.let_pass(hours=25)
    assert mail_world.check().result == (0, 0, 1, 0, 0)


def test_out_of_support(world: World) -> None:
    """A branch that is out of support is critical; `check` and `status` say when support ended."""
    ended = datetime.now(UTC) - timedelta(days=40)
    world.update_server.set_current_end(ended.date().isoformat())
    date = f"{ended.day} {ended:%B} {ended.year}"
    assert f"Support for 4.5 ended on {date}." in world.run("check").out
    status = world.run("status")
    assert (status.code, f"Support:     4.5 ended {date}" in status.out) == (2, True)


def test_daemon(world: World) -> None:
    """`--alive` looks at the daemon alone; wrong settings hide neither it nor an urgent update."""
    world.only("log")
    world.update_server.publish("4.5.20", urgent=True)
    world.set(UPDATE_CHECK_INTERVAL="1h")
    world.check()
    absent = (1, "The daemon is not running: it was stopped, or never started.\n")
    assert ((finished := world.run("status", "--alive")).code, finished.out) == absent
    assert world.run("status", "--alive", "--json").json == {"schema": 1, "alive": False, "last_beat_at": None}
    assert world.run("status", "--json").json["next_check_at"] is None
    with world.daemon():
        answer = world.run("status", "--json").json
        world.set(UPDATE_CHECK_INTERVAL="soon")
        assert world.run("status", "--alive").code == 0
        finished = world.run("status")
    assert answer["alive"]
    last, following = (datetime.fromisoformat(answer[name]) for name in ("last_check_at", "next_check_at"))
    assert timedelta(hours=1) == following - last
    assert (finished.code, finished.out[:31], "4.5.20" in finished.out) == (2, "MASTODON-UPDATE-CHECK CRITICAL ", True)
    assert "UPDATE_CHECK_INTERVAL in the environment: " in finished.err
    world.set(UPDATE_CHECK_INTERVAL=None)
    assert ((finished := world.run("status", "--alive")).code, finished.out) == absent
    with world.daemon() as daemon:
        daemon.kill()
    assert ((finished := world.run("status", "--alive")).code, finished.out) == absent
