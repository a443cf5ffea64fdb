"""`skip`: no notices, reminders or alarms about a release until it turns urgent, a date comes, or it is taken back."""

import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.world import World, wait_until
from simulators.smtp_server import SmtpServer

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


def test_skip_of_a_sent_notice(urgent: World) -> None:
    """A skipped release is reminded of no more and raises no alarm; taken back, it does again."""
    assert urgent.run("status").code == 2
    assert outcome(urgent, "skip", "4.5.20") == (0, SKIPPED + WARNING + BACK, "")
    status = urgent.run("status")
    assert (status.code, "Pending:     4.5.20 (urgent, skipped)\n" in status.out) == (0, True)
    assert urgent.run("status", "--json").json["skipped"] == ["4.5.20"]
    urgent.let_pass(days=2)
    assert urgent.check().result == (0, 0, 0, 0, 0)
    undone = "No longer skipped: 4.5.20. The next check notifies those who were not yet notified.\n"
    assert outcome(urgent, "skip", "--undo", "4.5.20") == (0, undone, "")
    assert (urgent.run("status").code, urgent.check().result) == (2, (0, 1, 1, 0, 0))
    assert urgent.subjects == [URGENT, REMINDER]


def test_skip_of_a_pending_notice(mail_world: World) -> None:
    """A message that was not sent yet is not sent any more; taken back, it is, under its own id."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    taken = "It is removed from 1 unsent message.\n"
    assert outcome(mail_world, "skip", "4.5.20") == (0, SKIPPED + LATER + taken + BACK, "")
    assert mail_world.rows("SELECT reason FROM delivery WHERE state = 'cancelled'") == [("skipped",)]
    mail_world.mail_server.replies.clear()
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


def test_list_of_skipped_releases(mail_world: World) -> None:
    """Without a version `skip` lists, for people and for programs."""
    assert outcome(mail_world, "skip") == (0, "Nothing is skipped.\n", "")
    assert mail_world.run("skip", "--json").json["skipped"] == []
    assert mail_world.bytes_of_state() == {}
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    mail_world.run("skip", "4.5.20", "4.7.6")
    (first, second) = mail_world.run("skip").out.splitlines()
    assert (first.startswith("4.5.20, urgent: skipped on "), second.startswith("4.7.6: skipped on ")) == (True, True)
    listed = mail_world.run("skip", "--json").json["skipped"]
    assert [(one["version"], one["urgent"]) for one in listed] == [("4.5.20", True), ("4.7.6", False)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["latest"], "'latest' is not a version: expected three numbers at the start"),
        (["4.5.19"], "expected a pending release (4.5.20), got 4.5.19"),
        (["4.5.20", "4.5.99"], "expected a pending release (4.5.20), got 4.5.99"),
        (["--undo", "4.5.20"], "expected a skipped release (there is none), got 4.5.20"),
        (["--undo"], "--undo and --until need a VERSION"),
        (["--json", "4.5.20"], "--json goes with the list alone: leave everything else out"),
    ],
)
def test_versions_that_cannot_be_skipped(mail_world: World, arguments: list[str], sentence: str) -> None:
    """A wrong version is answered with a sentence and exit code 2; nothing is skipped then, not in part either."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    finished = mail_world.run("skip", *arguments)
    assert (finished.code, finished.out, finished.err) == (2, "", f"mastodon-update-check: {sentence}\n")
    assert mail_world.run("skip").out == "Nothing is skipped.\n"


def test_skip_before_the_first_check(mail_world: World) -> None:
    """Without a ledger there is nothing to skip, and none is made."""
    finished = mail_world.run("skip", "4.5.20")
    assert (finished.code, "no check has run yet" in finished.err) == (2, True)
    assert mail_world.bytes_of_state() == {}


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


@pytest.mark.parametrize("day", ["soon", "2020-01-01", "2026-13-01"])
def test_postponed_until_nonsense(urgent: World, day: str) -> None:
    """A day that does not exist, or has passed, is wrong usage."""
    finished = urgent.run("skip", "4.5.20", "--until", day)
    assert (finished.code, "expected a date" in finished.err) == (2, True)
