"""Recipients and sinks that change while messages wait: each message is sent once, to the right place."""

import json

from end_to_end.world import World, wait_until
from simulators.http_server import Reply
from simulators.smtp_server import SmtpServer


def test_an_address_corrected_after_a_refusal(mail_world: World) -> None:
    """A refused address delays no other, and the corrected one gets the notice at once."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.refused["opps@social.example"] = "550 5.1.1 no such user"
    mail_world.set(UPDATE_CHECK_RECIPIENTS="opps@social.example, second@social.example")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 2, 1, 0, 1)
    assert mail_world.check().result == (75, 0, 0, 0, 1)
    mail_world.set(UPDATE_CHECK_RECIPIENTS="ops@social.example, second@social.example")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert [mail.recipient for mail in mail_world.mails] == ["second@social.example", "ops@social.example"]


def test_sink_settings_corrected_after_a_failure(mail_world: World) -> None:
    """A pending message is tried at once with a new mail server, not only when it is due."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["MAIL"] = "530 5.7.0 go away"
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    assert mail_world.check().result == (75, 0, 0, 1, 0)
    mail_world.use_mail_server(SmtpServer())
    assert mail_world.check().result == (0, 0, 1, 0, 0)


def test_a_check_by_hand_with_fewer_sinks(world: World) -> None:
    """Messages of a sink that this check lacks stay pending for the daemon, and are not counted here."""
    port = world.environment["SMTP_PORT"]
    world.set(SMTP_PORT="1")
    world.update_server.publish("4.5.20")
    assert world.check().result == (75, 3, 2, 1, 0)
    world.set(UPDATE_CHECK_SINKS="log")
    assert world.check().result == (0, 0, 0, 0, 0)
    assert world.rows("SELECT state FROM message WHERE sink = 'email'") == [("pending",)]
    world.set(UPDATE_CHECK_SINKS=None, SMTP_PORT=port)
    assert world.check().result == (0, 0, 1, 0, 0)


def test_webhook_with_a_new_url_is_notified_once(world: World) -> None:
    """Its workers begin before the first check: they do not send messages that wait for the old URL."""
    world.only("webhook")
    world.answer_hook = lambda request: Reply(503 if request.path == "/hook" else 204)
    for version in ("4.5.20", "4.5.21"):  # the second waits untried while the sink backs off
        world.update_server.publish(version)
        world.check()
    world.set(UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/new"))
    with world.start("run") as daemon:
        wait_until(lambda: any(call.path == "/new" for call in world.calls))
        wait_until(lambda: world.rows("SELECT count(*) FROM message WHERE state IN ('pending', 'failed')") == [(0,)])
        daemon.terminate()
        daemon.communicate()
    listed = [json.loads(call.body)["data"]["updates"] for call in world.calls if call.path == "/new"]
    assert [{one["version"] for one in updates if one["new"]} for updates in listed] == [{"4.5.20", "4.5.21"}]
