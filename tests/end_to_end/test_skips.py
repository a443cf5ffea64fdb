"""`skip`: no notices, reminders or alarms about a release until it turns urgent, a date comes, or it is taken back."""

import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.world import World, wait_until

URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
REMINDER = "URGENT [social.example] Reminder: install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"
SKIPPED = """\
Skipped: 4.5.20. No notices, no reminders, and no alarm in `status` about it.
"""
WARNING = "Warning: Mastodon marks 4.5.20 as urgent. Make sure that your server does not need it.\n"
LATER = "If it turns urgent, you are notified after all.\n"
BACK = "To undo this: mastodon-update-check skip --undo 4.5.20\n"


@pytest.fixture
def urgent(mail_world: World) -> World:
    """Return a server whose administrator was notified that 4.5.20 is urgent."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    return mail_world


def outcome(world: World, *arguments: str) -> tuple[int, str, str]:
    """Return what a command ends with: exit code, standard output, standard error."""
    finished = world.run(*arguments)
    return finished.code, finished.out, finished.err


def test_skip_of_a_pending_notice(mail_world: World) -> None:
    """A message that was not sent yet is not sent any more; taken back, it is, under its own id."""
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    taken = "It is removed from 1 unsent message.\n"
    assert outcome(mail_world, "skip", "4.5.20") == (0, SKIPPED + LATER + taken + BACK, "")
    assert mail_world.rows("SELECT reason FROM delivery WHERE state = 'cancelled'") == [("skipped",)]
    mail_world.smtp.replies.clear()
    mail_world.let_pass(hours=1)
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    assert mail_world.subjects == ["[social.example] Mastodon 4.7.6 is out (you run 4.5.19)"]
    assert "4.5.20" not in mail_world.texts[0]
    mail_world.run("skip", "--undo", "4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects[-1] == PLAIN


def test_skip_is_lifted_when_it_turns_urgent(mail_world: World) -> None:
    """A skipped release that turns urgent is sent, and the log says why."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    assert mail_world.run("skip", "4.5.20").code == 0
    mail_world.update_server.make_urgent("4.5.20")
    finished = mail_world.check()
    assert finished.result == (0, 1, 1, 0, 0)
    assert [line["version"] for line in finished.events("skip.lifted")] == ["4.5.20"]
    assert mail_world.subjects == [PLAIN, URGENT]
    assert mail_world.run("skip").out == "Nothing is skipped.\n"


def test_skip_covers_older_releases_of_the_branch(mail_world: World) -> None:
    """Skipping 4.5.21 skips 4.5.20 too, but no other branch."""
    for version in ("4.5.20", "4.5.21"):
        mail_world.update_server.publish(version, urgent=True)
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    finished = mail_world.run("skip", "4.5.21")
    assert "Older releases of its branch are skipped with it: 4.5.20.\n" in finished.out
    assert "Warning: Mastodon marks 4.5.21, 4.5.20 as urgent." in finished.out
    assert mail_world.run("status").code == 0
    mail_world.let_pass(days=2)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    finished = mail_world.run("skip", "--undo", "4.5.20")
    assert (finished.code, finished.err) == (
        2,
        "mastodon-update-check: expected a skipped release (4.5.21), got 4.5.20\n",
    )


def test_skip_while_checks_run(mail_world: World) -> None:
    """Checks at the same time lose no skip."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    checks = [threading.Thread(target=mail_world.check) for _ in range(3)]
    for check in checks:
        check.start()
    codes = [mail_world.run("skip", version).code for version in ("4.5.20", "4.7.6")]
    for check in checks:
        check.join()
    mail_world.check()
    assert codes == [0, 0]
    assert [one["version"] for one in mail_world.run("skip", "--json").json["skipped"]] == ["4.5.20", "4.7.6"]


def test_skip_while_the_daemon_runs(mail_world: World) -> None:
    """The daemon's next checks leave the skip as it is and obey it."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.set(UPDATE_CHECK_INTERVAL="1s", UPDATE_CHECK_JITTER="0")
    with mail_world.start("run", out=subprocess.DEVNULL, err=subprocess.DEVNULL) as daemon:
        wait_until(lambda: len(mail_world.mails) == 1)
        assert mail_world.run("skip", "4.5.20").code == 0
        asked = len(mail_world.update_server.asked)
        wait_until(lambda: len(mail_world.update_server.asked) >= asked + 3)
        assert mail_world.run("status").code == 0
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(60) == 0
    mail_world.let_pass(days=2)
    assert mail_world.check().result == (0, 0, 0, 0, 0)


def test_postponed(urgent: World) -> None:
    """A release that is postponed raises no alarm until the day, which `skip` shows; then it does again."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    finished = urgent.run("skip", "4.5.20", "--until", tomorrow)
    words = f"Postponed until {tomorrow}: 4.5.20. No reminders and no alarm until then."
    assert (finished.code, finished.out.splitlines()[0]) == (0, words)
    status = urgent.run("status")
    assert (status.code, f"4.5.20 (urgent, skipped until {tomorrow})" in status.out) == (0, True)
    assert urgent.run("skip", "--json").json["skipped"][0]["until"] == tomorrow
    assert urgent.run("status", "--json").json["postponed"]["4.5.20"].startswith(tomorrow)
    page = urgent.directory / "index.html"
    urgent.set(UPDATE_CHECK_PAGE_FILE=str(page))
    urgent.check()
    assert f"skipped until {tomorrow}" in page.read_text()
    assert urgent.run("skip", "--undo", "4.5.20").code == 0
    assert urgent.run("status").code == 2
