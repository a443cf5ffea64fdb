"""Notices about this tool itself: failing checks, failing deliveries, a due restart, and recovery."""

from end_to_end.world import World
from simulators.http_server import Reply
from simulators.mastodon_tree import parts, write_tree


def _stopped(world: World) -> list[tuple[str, bool]]:
    """Return the webhooks that were stopped (HTTP 410)."""
    sinks = world.run("status", "--json").json["sinks"]
    return [(sink["name"], sink["stopped"]) for sink in sinks if sink["name"].startswith("webhook")]


def test_failing_checks_are_notified(world: World) -> None:
    """Nothing for a day of the update server's fault; then once, after three days again, then weekly; and recovery."""
    world.check()
    world.update_server.fail(503)
    assert [(world.check().code, len(world.calls)) for _ in range(2)] == [(1, 0), (1, 0)]
    world.let_pass(hours=23)
    assert (world.check().code, len(world.calls)) == (1, 0)
    world.let_pass(hours=2)
    world.check()
    world.check()
    assert world.hook_events == ["check.failing"]
    assert len(world.subjects) == 1
    assert "No update check has worked since" in world.subjects[0]
    assert "503" in world.texts[0]
    world.let_pass(days=2)
    world.check()
    assert world.hook_events == ["check.failing"] * 2
    world.let_pass(days=7)
    world.check()
    assert world.hook_events == ["check.failing"] * 3
    world.update_server.recover()
    world.check()
    world.check()
    assert world.hook_events == [*["check.failing"] * 3, "check.recovered"]
    assert "work again" in world.subjects[-1]


def test_operator_gets_the_notices_about_this_tool(world: World) -> None:
    """UPDATE_CHECK_OPERATOR gets only notices about this tool; the recipients get the rest."""
    world.set(UPDATE_CHECK_OPERATOR="root@social.example")
    world.update_server.fail(503)
    world.check()
    world.let_pass(hours=25)
    world.check()
    assert [mail.recipient for mail in world.mails] == ["root@social.example"]
    world.update_server.recover()
    world.update_server.publish("4.5.20")
    world.check()
    recipients = dict(zip(world.mail_events, (mail.recipient for mail in world.mails), strict=True))
    assert recipients["check.recovered"] == "root@social.example"
    assert recipients["update.available"] == "ops@social.example"


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
    assert _stopped(world) == [("webhook", True)]

    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20", UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/new"))
    world.check()
    assert [call.path for call in world.calls] == ["/hook"]
    assert _stopped(world) == [("webhook", False)]
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
