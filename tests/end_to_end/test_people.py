"""DevOps users of a real PostgreSQL, through the whole program, also when it cannot be reached."""

import json

from end_to_end.databases import Staffed

UPDATE = "update.available"


def test_each_user_is_notified_by_preference(staffed: Staffed) -> None:
    """A plain patch goes to the user who wants all; the urgent one goes to both; the moderator gets neither."""
    staffed.world.update_server.publish("4.5.20")
    assert staffed.world.check().result == (0, 1, 1, 0, 0)
    assert staffed.take_mails() == [("alice", UPDATE)]
    staffed.world.update_server.make_urgent("4.5.20")
    staffed.world.check()
    assert staffed.take_mails() == [("alice", UPDATE), ("bob", UPDATE)]


def test_database_is_off_before_it_ever_answered(staffed: Staffed) -> None:
    """The check fails and says what to do; the users are notified later."""
    staffed.switch_off()
    staffed.world.update_server.publish("4.5.20")
    finished = staffed.world.check()
    assert finished.result == (1, 0, 0, 0, 0)
    assert "not_there" in finished.events("check.failed")[0]["detail"]
    assert [update["version"] for update in finished.json["updates"]] == ["4.5.20"]
    staffed.switch_on()
    staffed.world.check()
    assert staffed.take_mails() == [("alice", UPDATE)]


def test_database_is_off_later(staffed: Staffed) -> None:
    """The users of the last good answer are notified, the check is degraded, and no user counts as gone."""
    staffed.world.check()
    staffed.switch_off()
    listed = staffed.world.run("recipients")
    assert (listed.code, "alice <alice@social.example>" in listed.out) == (1, True)
    assert "Mastodon's database could not be asked for the DevOps users: " in listed.out
    staffed.world.update_server.publish("4.5.20", urgent=True)
    finished = staffed.world.check()
    assert finished.result == (0, 2, 2, 0, 0)
    assert "the DevOps users of the last good answer are notified" in finished.events("check.degraded")[0]["detail"]
    assert staffed.take_mails() == [("alice", UPDATE), ("bob", UPDATE)]


def test_empty_answer_is_not_evidence(staffed: Staffed) -> None:
    """An answer without staff, or without a DevOps user, cancels nothing; both are warnings."""
    port = staffed.world.environment["SMTP_PORT"]
    staffed.world.set(SMTP_PORT="1")
    staffed.world.update_server.publish("4.5.20")
    staffed.world.check()
    staffed.change("UPDATE users SET role_id = NULL")
    finished = staffed.world.check()
    assert finished.result == (75, 0, 0, 1, 0)
    detail = finished.events("check.degraded")[0]["detail"]
    assert "returned no member of staff, and 2 DevOps users the last time" in detail
    staffed.change("UPDATE users SET role_id = 1")
    finished = staffed.world.check()
    assert "no user of this server can view DevOps" in finished.events("check.degraded")[0]["detail"]
    staffed.world.set(SMTP_PORT=port)
    staffed.world.let_pass(minutes=10)
    staffed.world.check()
    assert staffed.take_mails() == [("alice", UPDATE)]


def test_webhooks_name_the_devops_users(staffed: Staffed) -> None:
    """With NAMES a webhook carries the names, and no addresses; without it, none."""
    world = staffed.world
    world.set(
        UPDATE_CHECK_SINKS="webhook",
        UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/hook"),
        UPDATE_CHECK_WEBHOOK_OPS_URL=world.receiver.url("/ops"),
        UPDATE_CHECK_WEBHOOK_OPS_NAMES="true",
    )
    world.update_server.publish("4.5.20")
    world.check()
    named = {call.path: json.loads(call.body)["data"].get("devops_users") for call in world.calls}
    assert named == {"/hook": None, "/ops": ["alice", "bob"]}
    assert not any(b"alice@" in call.body for call in world.calls)


def test_recipients_are_listed_with_reasons(staffed: Staffed) -> None:
    """Recipients and other staff, each with the reason; also as JSON."""
    staffed.world.set(UPDATE_CHECK_RECIPIENTS="devops,ops@social.example=critical")
    finished = staffed.world.run("recipients", "--json")
    notified = [(one["name"], one["preference"], one["reason"]) for one in finished.json["recipients"]]
    assert notified == [
        ("alice", "all", "Owner can view DevOps"),
        ("bob", "critical", "Owner can view DevOps"),
        (None, "critical", "named in the settings"),
    ]
    assert finished.json["not_told"] == [{"name": "mod", "role": "Moderator", "reason": "cannot_view_devops"}]
    table = staffed.world.run("recipients")
    assert (table.code, table.err) == (0, "")
    assert "email  alice <alice@social.example>  all" in table.out
    assert "mod (Moderator): cannot view devops" in table.out


def test_mail_is_in_the_users_language(staffed: Staffed) -> None:
    """Mail is in the user's language of Mastodon, and says so; everything else is English."""
    world = staffed.world
    world.set(UPDATE_CHECK_SINKS="email, log, webhook", UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/hook"))
    staffed.change("UPDATE users SET locale = %s WHERE email = %s", "zh-CN", "alice@social.example")
    world.update_server.publish("4.5.20", urgent=True)
    finished = world.check()
    assert finished.result == (0, 4, 4, 0, 0)
    mails = {mail.recipient: mail.message for mail in world.mails}
    german, english = mails["bob@social.example"], mails["alice@social.example"]
    assert german["Subject"] == "DRINGEND [social.example] Mastodon 4.5.20 installieren (bei dir läuft 4.5.19)"
    assert (german["Content-Language"], english["Content-Language"]) == ("de", "en")
    assert all("Mastodon kennzeichnet 4.5.20 als dringend." in part.get_content() for part in german.iter_parts())
    assert english["Subject"] == "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
    [line] = finished.events("notice.update.available")
    assert line["summary"] == english["Subject"]
    assert "Mastodon marks 4.5.20" not in world.calls[0].body.decode()
    assert [one["version"] for one in json.loads(world.calls[0].body)["data"]["updates"]] == ["4.5.20"]
