"""`status`: how the server stands, with the exit codes of monitoring plugins."""

import json
import signal
from collections.abc import Callable

import pytest

from end_to_end.world import World, wait_until
from simulators.smtp_server import SmtpServer
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


def test_before_the_first_check(world: World) -> None:
    """Nothing is known: that is not well, and nothing is written to find it out."""
    finished = world.run("status")
    assert (finished.code, "UNKNOWN - social.example: no check has worked yet" in finished.out) == (3, True)
    assert world.bytes_of_state() == {}


def test_why_checks_fail(world: World) -> None:
    """The reason of a failing check is part of the answer, for people and for programs."""
    world.update_server.fail(500)
    world.check()
    finished = world.run("status")
    assert (finished.code, "500" in finished.out.splitlines()[0]) == (3, True)
    answer = world.run("status", "--json").json
    assert (answer["level"], "500" in answer["failure"], answer["last_good_check_at"]) == ("unknown", True, None)


def test_something_undelivered(mail_world: World) -> None:
    """Messages that are undelivered for six hours are a warning, with the server's reply."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["MAIL"] = "451 4.7.1 greylisted"
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


def test_json(world: World) -> None:
    """`status --json` has the version of its form, the verdict with its reasons, and every part it was made of."""
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    finished = world.run("status", "--json")
    answer = finished.json
    assert (finished.code, answer["level"], answer["reasons"]) == (2, "critical", ["install 4.5.20, it is urgent"])
    assert (answer["installed_version"], [each["version"] for each in answer["updates"]]) == ("4.5.19", ["4.5.20"])
    assert [sink["name"] for sink in answer["sinks"]] == ["email", "log", "webhook"]
    assert answer["schema"] == 1


@pytest.mark.parametrize("arguments", [["--wrong"], ["extra"]])
def test_wrong_usage_is_unknown(world: World, arguments: list[str]) -> None:
    """Wrong arguments of a monitoring system give neither OK nor an alarm."""
    finished = world.run("status", *arguments)
    assert (finished.code, finished.out) == (3, "")
    assert f"mastodon-update-check: unrecognized arguments: {arguments[0]}" in finished.err


def test_wrong_settings_hide_no_alarm(world: World) -> None:
    """An urgent update that is known stays critical, and a running daemon alive; the problem is named beside it."""
    world.only("log")
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    with world.start("run") as daemon:
        wait_until(lambda: world.run("status", "--alive").code == 0)
        world.set(UPDATE_CHECK_INTERVAL="soon")
        assert world.run("status", "--alive").code == 0
        finished = world.run("status")
        assert (finished.code, finished.out[:31]) == (2, "MASTODON-UPDATE-CHECK CRITICAL ")
        assert "4.5.20" in finished.out
        assert "UPDATE_CHECK_INTERVAL in the environment: " in finished.err
        daemon.terminate()
        daemon.communicate()


def test_alive(world: World) -> None:
    """`--alive` looks at the daemon alone: before it ran, while it runs, once it is stopped, and when it was killed."""
    world.only("log")
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    absent = (1, "The daemon is not running: it was stopped, or never started.\n")
    finished = world.run("status", "--alive")
    assert absent == (finished.code, finished.out)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with world.start("run") as daemon:
            wait_until(lambda: world.run("status", "--alive").code == 0)
            assert json.loads(world.run("status", "--json").out)["alive"]
            daemon.send_signal(number)
            daemon.communicate()
        finished = world.run("status", "--alive")
        assert (finished.code, finished.out) == absent
