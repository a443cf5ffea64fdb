"""`skip`: no notices, reminders or alarms about a release until it turns urgent, a date comes, or it is taken back.

The transcripts have its words, also of wrong usage.
"""

import threading
from datetime import UTC, datetime, timedelta

from end_to_end.world import World, wait_until

URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
REMINDER = "URGENT [social.example] Reminder: install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"


def test_skip_of_a_pending_notice(mail_world: World) -> None:
    """A message that was not sent yet is not sent any more; taken back, it is."""
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    assert "It is removed from 1 unsent message.\n" in mail_world.run("skip", "4.5.20").out
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


def test_skip_of_sent_notices(mail_world: World) -> None:
    """Skipping 4.5.21 skips 4.5.20 too, but no other branch: no alarm and no reminder until it is taken back."""
    for version in ("4.5.20", "4.5.21"):
        mail_world.update_server.publish(version, urgent=True)
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    assert mail_world.run("status").code == 2
    finished = mail_world.run("skip", "4.5.21")
    assert "Older releases of its branch are skipped with it: 4.5.20.\n" in finished.out
    assert "Warning: Mastodon marks 4.5.21, 4.5.20 as urgent." in finished.out
    status = mail_world.run("status")
    assert (status.code, "4.5.21 (urgent, skipped)" in status.out) == (0, True)
    mail_world.let_pass(days=2)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    finished = mail_world.run("skip", "--undo", "4.5.20")
    assert (finished.code, "expected a skipped release (4.5.21), got 4.5.20" in finished.err) == (2, True)
    assert mail_world.run("skip", "--undo", "4.5.21").code == 0
    assert (mail_world.run("status").code, mail_world.check().result) == (2, (0, 1, 1, 0, 0))


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
    listed = mail_world.run("skip", "--json").json["skipped"]
    assert [(one["version"], one["urgent"]) for one in listed] == [("4.5.20", True), ("4.7.6", False)]


def test_skip_beside_the_daemon(mail_world: World) -> None:
    """The daemon makes the change, and its next check obeys it; what it refuses is wrong usage of the command."""
    mail_world.update_server.publish("4.5.20", urgent=True)
    with mail_world.daemon():
        wait_until(lambda: len(mail_world.mails) == 1)
        finished = mail_world.run("skip", "4.5.99")
        assert (finished.code, "expected a pending release (4.5.20), got 4.5.99" in finished.err) == (2, True)
        assert mail_world.run("skip", "4.5.20").code == 0
        assert mail_world.check().result == (0, 0, 0, 0, 0)
        assert mail_world.run("status").code == 0


def test_postponed(mail_world: World) -> None:
    """A release that is postponed raises no alarm until the day, which everything shows; then it does again."""
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
    mail_world.let_pass(days=2)
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert (mail_world.run("status").code, mail_world.subjects) == (2, [URGENT, REMINDER])
