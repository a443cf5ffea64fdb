"""`status`: how the server stands, with the exit codes of monitoring plugins."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.world import World
from simulators.update_server import UpdateServer

Crew = Callable[[UpdateServer], object]


def listing(*versions: str, urgent: bool = False) -> Crew:
    """Return a function that publishes these releases."""

    def publish(server: UpdateServer) -> None:
        for version in versions:
            server.publish(version, urgent=urgent)

    return publish


@pytest.mark.parametrize(
    ("crew", "minutes", "code", "said"),
    [
        pytest.param(listing(), 110, 0, "OK - social.example: nothing to do", id="nothing is newer"),
        pytest.param(listing("4.5.20"), 0, 1, "WARNING", id="a patch of the own branch"),
        pytest.param(listing("4.5.20", urgent=True), 130, 2, "install 4.5.20", id="urgent; critical before unknown"),
        pytest.param(listing("4.5.20"), 130, 3, "no check has worked since", id="silence; unknown before warning"),
    ],
)
def test_verdict(world: World, crew: Crew, minutes: int, code: int, said: str) -> None:
    """Each level has its exit code; domain/test_status.py has every reason."""
    world.only("log")
    crew(world.update_server)
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


def test_wrong_settings_hide_no_alarm(world: World) -> None:
    """An urgent update that is known stays critical, and a running daemon alive; the problem is named beside it."""
    world.only("log")
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    with world.daemon():
        world.set(UPDATE_CHECK_INTERVAL="soon")
        assert world.run("status", "--alive").code == 0
        finished = world.run("status")
        assert (finished.code, finished.out[:31]) == (2, "MASTODON-UPDATE-CHECK CRITICAL ")
        assert "4.5.20" in finished.out
        assert "UPDATE_CHECK_INTERVAL in the environment: " in finished.err


def test_alive(world: World) -> None:
    """`--alive` looks at the daemon alone: before it ran, while it runs, once it is stopped, and when it was killed."""
    world.only("log")
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    absent = (1, "The daemon is not running: it was stopped, or never started.\n")
    finished = world.run("status", "--alive")
    assert absent == (finished.code, finished.out)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with world.daemon() as daemon:
            assert world.run("status", "--json").json["alive"]
            daemon.send_signal(number)
            daemon.wait()
        finished = world.run("status", "--alive")
        assert (finished.code, finished.out) == absent


def test_out_of_support(world: World) -> None:
    """A branch out of support is shown as such."""
    ended = datetime.now(UTC) - timedelta(days=40)
    world.update_server.set_current_end(ended.date().isoformat())
    date = f"{ended.day} {ended:%B} {ended.year}"
    finished = world.run("check", "--dry-run")
    assert f"Support for 4.5 ended on {date}." in finished.out
    assert f"  log: the end of support for 4.5 on {date} (has ended)\n" in finished.out
    world.check()
    assert f"Support:     4.5 ended {date}" in world.run("status").out
