"""Follow-ups of an update notice: reminders, the notice of its installation, and `skip`."""

import json
import signal
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from end_to_end.world import World, wait_until
from simulators.smtp_server import SmtpServer

URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
REMINDER = "URGENT [social.example] Reminder: install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"
INSTALLED = "[social.example] Mastodon 4.5.20 is installed"


def types(world: World) -> list[str]:
    """Return the types of the webhook's messages."""
    return [json.loads(call.body)["type"] for call in world.calls]


def last_data(world: World) -> dict[str, Any]:
    """Return the data of the webhook's last message."""
    found: dict[str, Any] = json.loads(world.calls[-1].body)["data"]
    return found


def test_from_the_first_message_to_the_last(world: World) -> None:
    """Notified, reminded after one and three days, notified of the installation; by every sink, each once."""
    world.update_server.publish("4.5.20", urgent=True)
    assert world.check().result == (0, 3, 3, 0, 0)
    world.let_pass(hours=23)
    assert world.check().result == (0, 0, 0, 0, 0)
    for passed in (2, 48):
        world.let_pass(hours=passed)
        finished = world.check()
        assert finished.result == (0, 3, 3, 0, 0)
        assert finished.events("notice.update.reminder")[0]["versions"] == ["4.5.20"]
        assert world.check().result == (0, 0, 0, 0, 0)
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    finished = world.check()
    assert finished.result == (0, 3, 3, 0, 0)
    assert finished.events("notice.update.installed")[0]["versions"] == ["4.5.20"]
    assert world.subjects == [URGENT, REMINDER, REMINDER, INSTALLED]
    assert types(world) == ["update.available", "update.reminder", "update.reminder", "update.installed"]
    assert last_data(world)["closed"] == [{"version": "4.5.20", "urgent": True}]
    threads = {mail.message["References"] for mail in world.mails}
    assert (len(threads), len({mail.message["Message-ID"] for mail in world.mails})) == (1, 4)
    assert [mail.message["X-Update-Check-Event"] for mail in world.mails] == [
        "update.available",
        "update.reminder",
        "update.reminder",
        "update.installed",
    ]
    for version in ("4.5.19", "4.5.20", "4.5.21"):
        world.set(UPDATE_CHECK_MASTODON_VERSION=version, UPDATE_CHECK_REMINDERS="none")
        assert world.check().result == (0, 0, 0, 0, 0)


def test_one_reminder_after_a_long_silence(mail_world: World) -> None:
    """Reminders that were due while nothing ran are not made up for."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    mail_world.let_pass(days=30)
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [URGENT, REMINDER]


def test_a_reminder_counts_from_the_acceptance(mail_world: World) -> None:
    """A mail that waited for two days is followed by a reminder a day after it went out, not at once."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["MAIL"] = "451 4.7.1 later"
    mail_world.update_server.publish("4.5.20", urgent=True)
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    mail_world.let_pass(days=2)
    mail_world.mail_server.replies.clear()
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    mail_world.let_pass(hours=20)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.let_pass(hours=5)
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects == [URGENT, REMINDER]


@pytest.mark.parametrize(
    ("settings", "urgent", "expected"),
    [
        pytest.param({}, True, [URGENT, REMINDER, INSTALLED], id="the default"),
        pytest.param({}, False, [PLAIN], id="the default, not urgent"),
        pytest.param({"UPDATE_CHECK_REMINDERS": "none"}, True, [URGENT, INSTALLED], id="no reminders"),
        pytest.param({"UPDATE_CHECK_CLOSURE": "none"}, True, [URGENT, REMINDER], id="no closure"),
        pytest.param(
            {"UPDATE_CHECK_REMINDERS": "all", "UPDATE_CHECK_CLOSURE": "all"},
            False,
            [PLAIN, "[social.example] Reminder: Mastodon 4.5.20 is out (you run 4.5.19)"],
            id="all: no closure of an update that was not urgent by mail",
        ),
    ],
)
def test_as_it_is_set(world: World, settings: dict[str, str], expected: list[str], *, urgent: bool) -> None:
    """`UPDATE_CHECK_REMINDERS` and `UPDATE_CHECK_CLOSURE` decide, and the first letter promises no more than that."""
    world.set(**settings)
    world.update_server.publish("4.5.20", urgent=urgent)
    world.check()
    assert ("Reminders come in 1, 3 and 7 days" in world.texts[0]) is any("Reminder" in subject for subject in expected)
    world.let_pass(days=1, hours=1)
    world.check()
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    finished = world.check()
    assert world.subjects == expected
    assert "settings.without_effect" not in finished.err
    assert (settings.get("UPDATE_CHECK_CLOSURE") == "all" or INSTALLED in expected) is (
        "update.installed" in types(world)
    )


def test_an_update_that_covers_another(mail_world: World) -> None:
    """Installing 4.5.21 settles 4.5.20 too; one message says so."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.21")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects[-1] == "[social.example] Mastodon 4.5.21 is installed"
    assert "4.5.21 is installed. That settles 4.5.20, which Mastodon marked as urgent." in mail_world.texts[-1]
    mail_world.update_server.publish("4.5.21", urgent=True)
    for version in ("4.5.21", "4.5.22"):
        mail_world.set(UPDATE_CHECK_MASTODON_VERSION=version)
        assert mail_world.check().result == (0, 0, 0, 0, 0)


def test_a_dry_run_names_them(world: World) -> None:
    """`check --dry-run` says what kind of message each would be."""
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    world.let_pass(days=1)
    assert "  log: reminder 1 of 4.5.20 (urgent)\n" in world.run("check", "--dry-run").out
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    assert "  log: 4.5.20 is installed\n" in world.run("check", "--dry-run").out


SKIPPED = """\
Skipped: 4.5.20. No notices, no reminders, and no alarm in `status` about it.
"""
WARNING = "Warning: Mastodon marks 4.5.20 as urgent. Make sure that your server does not need it.\n"
LATER = "If it turns urgent, you are notified after all.\n"
BACK = "To undo this: mastodon-update-check skip --undo 4.5.20\n"


def test_skip_of_a_sent_notice(mail_world: World) -> None:
    """A skipped release is reminded of no more and raises no alarm; taken back, it does again."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    assert mail_world.run("status").code == 2
    assert _outcome(mail_world, "skip", "4.5.20") == (0, SKIPPED + WARNING + BACK, "")
    status = mail_world.run("status")
    assert (status.code, "Pending:     4.5.20 (urgent, skipped)\n" in status.out) == (0, True)
    assert mail_world.run("status", "--json").json["skipped"] == ["4.5.20"]
    mail_world.let_pass(days=2)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    undone = "No longer skipped: 4.5.20. The next check notifies those who were not yet notified.\n"
    assert (0, undone, "") == _outcome(mail_world, "skip", "--undo", "4.5.20")
    assert (mail_world.run("status").code, mail_world.check().result) == (2, (0, 1, 1, 0, 0))
    assert mail_world.subjects == [URGENT, REMINDER]


def test_skip_of_a_pending_notice(mail_world: World) -> None:
    """A message that was not sent yet is not sent any more; taken back, it is, under its own id."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    taken = "It is removed from 1 unsent message.\n"
    assert (0, SKIPPED + LATER + taken + BACK, "") == _outcome(mail_world, "skip", "4.5.20")
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
    assert (
        finished.code,
        finished.err,
    ) == (2, "mastodon-update-check: 4.5.20 is skipped with 4.5.21, which is newer: undo that\n")


def test_list_of_skipped_releases(mail_world: World) -> None:
    """Without a version `skip` lists, for people and for programs."""
    assert _outcome(mail_world, "skip") == (0, "Nothing is skipped.\n", "")
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
        (["4.5.19"], "4.5.19 is not newer than 4.5.19, which is installed: there is nothing to skip"),
        (["4.5.20", "4.5.99"], "the update server does not list 4.5.99: pending are 4.5.20"),
        (["--undo", "4.5.20"], "4.5.20 is not skipped"),
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


def _outcome(world: World, *arguments: str) -> tuple[int, str, str]:
    finished = world.run(*arguments)
    return finished.code, finished.out, finished.err


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


def test_postponed(mail_world: World) -> None:
    """A release that is postponed raises no alarm until the day, which `skip` shows; then it does again."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    finished = mail_world.run("skip", "4.5.20", "--until", tomorrow)
    words = f"Postponed until {tomorrow}: 4.5.20. No reminders and no alarm until then."
    assert (finished.code, finished.out.splitlines()[0]) == (0, words)
    status = mail_world.run("status")
    assert (status.code, f"4.5.20 (urgent, skipped until {tomorrow})" in status.out) == (0, True)
    assert mail_world.run("skip", "--json").json["skipped"][0]["until"] == tomorrow
    assert mail_world.run("status", "--json").json["postponed"]["4.5.20"].startswith(tomorrow)
    page = mail_world.directory / "index.html"
    mail_world.set(UPDATE_CHECK_PAGE_FILE=str(page))
    mail_world.check()
    assert f"skipped until {tomorrow}" in page.read_text()
    assert mail_world.run("skip", "--undo", "4.5.20").code == 0
    assert mail_world.run("status").code == 2


def test_reminders_and_alarm_begin_again_on_the_day(mail_world: World) -> None:
    """While a release is postponed there are neither; from the day on there are both."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert mail_world.run("skip", "4.5.20", "--until", day).code == 0
    mail_world.let_pass(days=1, hours=1)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.run("status").code == 0
    mail_world.let_pass(days=2)
    mail_world.check()
    assert len(mail_world.subjects) == 2
    assert mail_world.run("status").code == 2


@pytest.mark.parametrize("day", ["soon", "2020-01-01", "2026-13-01"])
def test_postponed_until_nonsense(mail_world: World, day: str) -> None:
    """A day that does not exist, or has passed, is wrong usage."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    mail_world.check()
    finished = mail_world.run("skip", "4.5.20", "--until", day)
    assert (finished.code, "expected a date" in finished.err) == (2, True)
