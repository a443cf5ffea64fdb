"""Notices about this tool itself: failing checks, failing deliveries, a due restart, and recovery."""

from end_to_end.world import World
from simulators.http_server import Reply
from simulators.mastodon_tree import parts, write_tree


def test_failing_checks_are_notified(world: World) -> None:
    """Nothing for a day of the update server's fault; then once, after three days again, then weekly; and recovery."""
    world.check()
    world.update_server.fail(503)
    for passed, notices in ((0, 0), (0, 0), (23, 0), (2, 1), (0, 1), (48, 2), (7 * 24, 3)):
        world.let_pass(hours=passed)
        assert (world.check().code, world.hook_events) == (1, ["check.failing"] * notices)
    assert len(world.subjects) == 3
    assert "No update check has worked since" in world.subjects[0]
    assert "503" in world.texts[0]
    world.update_server.recover()
    for _ in range(2):
        world.check()
    assert world.hook_events == [*["check.failing"] * 3, "check.recovered"]
    assert "work again" in world.subjects[-1]


def test_operator_gets_the_notices_about_this_tool(mail_world: World) -> None:
    """UPDATE_CHECK_OPERATOR gets only notices about this tool; the recipients get the rest."""
    mail_world.set(UPDATE_CHECK_OPERATOR="root@social.example")
    mail_world.update_server.fail(503)
    mail_world.check()
    mail_world.let_pass(hours=25)
    mail_world.check()
    mail_world.update_server.recover()
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    recipients = {(event, mail.recipient) for event, mail in zip(mail_world.mail_events, mail_world.mails, strict=True)}
    root, ops = "root@social.example", "ops@social.example"
    assert recipients == {("check.failing", root), ("check.recovered", root), ("update.available", ops)}


def test_failing_delivery_is_notified_through_the_other_sinks(world: World) -> None:
    """A webhook that has been down for six hours: mail says so, the webhook itself is not asked to carry that."""
    world.answer_hook = lambda _: Reply(503)
    world.update_server.publish("4.5.20")
    world.check()
    world.let_pass(hours=6)
    world.check()
    assert list(dict.fromkeys(world.hook_events)) == ["update.available"]
    assert world.mail_events == ["update.available", "delivery.failing"]
    assert "503" in world.texts[-1]
    world.answer_hook = lambda _: Reply(204)
    world.let_pass(days=1)
    world.check()
    world.let_pass(days=1)
    world.check()
    assert len(world.mails) == 2


def test_mail_server_that_refuses_every_recipient_is_notified(world: World) -> None:
    """It refuses each recipient for itself, as one whose settings here are wrong does: the webhook says so."""
    world.smtp.replies["RCPT"] = "554 5.7.1 Relay access denied"
    world.update_server.publish("4.5.20")
    world.check()
    world.let_pass(hours=5)
    world.check()
    assert world.hook_events == ["update.available"]
    world.let_pass(hours=1, minutes=1)
    world.check()
    assert world.hook_events == ["update.available", "delivery.failing"]
    assert b"Relay access denied" in world.calls[-1].body


def test_stopped_webhook_is_notified_until_its_url_changes(world: World) -> None:
    """HTTP 410: another secret is not tried, so it goes on failing; another URL is, and nothing is said against it."""
    world.answer_hook = lambda request: Reply(410 if request.path == "/hook" else 204)
    world.update_server.publish("4.5.20")
    world.check()
    world.set(UPDATE_CHECK_WEBHOOK_SECRET="whsec_YW5vdGhlciBzZWNyZXQgb2YgMjQgYnl0ZQ==")
    world.let_pass(hours=7)
    world.check()
    world.let_pass(days=3)
    world.check()
    assert world.mail_events == ["update.available", "delivery.failing", "delivery.failing"]
    assert 'stopped": true' in world.run("status", "--json").out

    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20", UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/new"))
    world.check()
    assert [call.path for call in world.calls] == ["/hook"]
    assert 'stopped": true' not in world.run("status", "--json").out
    assert "HTTP 410" not in world.run("doctor").out


def test_restart_due(world: World) -> None:
    """The tree differs from the running version for more than an hour: the operator is notified once."""
    running = world.receiver
    world.answer_hook = lambda request: (
        Reply.json({"version": "4.5.19"}) if request.path.startswith("/api/") else Reply(204)
    )
    write_tree(world.root, parts("4.5.20"))
    world.set(UPDATE_CHECK_MASTODON_VERSION=None, UPDATE_CHECK_INSTANCE_URL=running.url("").rstrip("/"))
    world.check()
    world.let_pass(minutes=50)
    world.check()
    assert world.mails == []
    world.let_pass(minutes=11)
    world.check()
    world.check()
    assert world.mail_events == ["restart.due"]
    assert "4.5.19 runs, 4.5.20 is installed" in world.subjects[0]
