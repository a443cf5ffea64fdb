"""`send-test`: every sink is tried with a message that says what it is, and nothing is remembered of it."""

import pytest
from standardwebhooks import Webhook

from end_to_end.world import World

SECRET = "whsec_" + "c2VjcmV0" * 4


def verdicts(world: World, *arguments: str) -> tuple[int, dict[str, tuple[bool, str | None]]]:
    """Return the exit code, and of each verdict whether it was accepted, and the reply; by address or sink."""
    finished = world.run("send-test", "--json", *arguments)
    results = finished.json["results"]
    return finished.code, {one["address"] or one["sink"]: (one["accepted"], one["reply"]) for one in results}


def test_test_message(world: World) -> None:
    """The message says that it is a test, lists the notices of this address, and announces no release."""
    world.set(UPDATE_CHECK_WEBHOOK_SECRET=SECRET, UPDATE_CHECK_RECIPIENTS="ops@social.example=critical,b@x.example")
    world.update_server.publish("4.5.20", urgent=True)
    world.check()
    world.mails.clear()
    assert world.run("send-test").code == 0
    mail, text = world.mails[0].message, world.texts[0]
    assert mail["Subject"] == "[social.example] Test of mastodon-update-check: nothing to do"
    assert (mail["X-Update-Check-Event"], mail["Importance"]) == ("test", None)
    assert "This is a test, sent by hand: it announces nothing" in text
    assert "releases that Mastodon marks as urgent" in text
    assert "4.5.20" not in text
    call = world.calls[-1]
    payload = Webhook(SECRET).verify(call.body, dict(call.headers))
    assert (payload["type"], payload["data"]["updates"], payload["data"]["urgent"]) == ("test", [], False)


def test_nothing_is_stored(world: World) -> None:
    """Pending notices are sent later, and sent ones are not repeated."""
    world.check()
    before = world.rows("SELECT * FROM message"), world.rows("SELECT * FROM sink")
    world.set(UPDATE_CHECK_WEBHOOK_OPS_URL=world.receiver.url("/ops"))
    assert verdicts(world, "WEBHOOK")[1].keys() == {"webhook", "webhook.ops"}
    assert verdicts(world, "webhook.ops")[1].keys() == {"webhook.ops"}
    world.set(UPDATE_CHECK_WEBHOOK_OPS_URL=None)
    world.run("send-test")
    assert before == (world.rows("SELECT * FROM message"), world.rows("SELECT * FROM sink"))
    world.update_server.publish("4.5.20")
    assert world.check().result == (0, 3, 3, 0, 0)


@pytest.mark.parametrize(
    ("arguments", "reached"),
    [((), {"boss@social.example"}), (("--everyone",), {"boss@social.example", "ops@social.example", "b@x.example"})],
    ids=["the operator", "everyone"],
)
def test_mail_goes_to_the_operator(mail_world: World, arguments: tuple[str, ...], reached: set[str]) -> None:
    """The operator alone, or with an option all recipients."""
    mail_world.set(
        UPDATE_CHECK_RECIPIENTS="ops@social.example,b@x.example=none", UPDATE_CHECK_OPERATOR="boss@social.example"
    )
    assert ((found := verdicts(mail_world, *arguments))[0], set(found[1])) == (0, reached)
    assert {mail.recipient for mail in mail_world.mails} == reached


def test_unknown_recipients(world: World) -> None:
    """When the recipients are unknown, mail has failed, with the reason."""
    world.set(UPDATE_CHECK_RECIPIENTS="devops", DB_PORT="9")
    code, found = verdicts(world)
    assert (code, found["email"][0], "there is no recipient" in str(found["email"][1])) == (1, False, True)
    assert found["webhook"][0]


def test_only_the_log(world: World) -> None:
    """Without a mail server and a webhook the test is not a success; a log that was asked for is one."""
    world.set(SMTP_SERVER=None, UPDATE_CHECK_WEBHOOK_URL=None)
    finished = world.run("send-test")
    assert (finished.code, finished.out.splitlines()[-1]) == (1, "No recipient was notified.")
    assert "set SMTP_SERVER or UPDATE_CHECK_WEBHOOK_URL" in finished.out
    assert world.run("send-test", "log").code == 0
