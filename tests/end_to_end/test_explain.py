"""`explain`: notices sent and not sent, when and why; and `retry`. The transcripts have most answers in full."""

from end_to_end.databases import Staffed
from end_to_end.world import World, wait_until
from simulators.http_server import Reply


def test_recipients_who_were_not_notified(staffed: Staffed) -> None:
    """Each with the reason: the preference, or a role without the permission; also while the database is off."""
    staffed.world.update_server.publish("4.5.20")
    staffed.world.check()
    lines = staffed.world.run("explain", "4.5.20", "-v").out.splitlines()
    notified, rest = lines.index("Notified:"), lines.index("Not notified:")
    assert lines[notified + 1].startswith("  alice <alice@social.example> by email: 20")
    assert lines[notified + 1].endswith(" UTC; patches are wanted")
    assert lines[notified + 2].endswith(": accepted: 250 2.0.0 OK: queued as 1")
    assert lines[rest + 1 :] == [
        "  bob <bob@social.example> by email: only urgent releases are wanted (the setting is critical)",
        "  mod (Moderator): cannot view devops",
    ]
    assert "mod (Moderator): cannot view devops, so is not notified." in staffed.world.run("explain", "mod").out
    answer = staffed.world.run("explain", "--json", "@bob").json
    assert ([one["name"] for one in answer["recipients"]], answer["deliveries"]) == (["bob"], [])
    assert [(one["notice"], one["reason"]) for one in answer["decisions"]] == [("4.5.20", "below_preference")]
    staffed.switch_off()
    finished = staffed.world.run("explain", "4.5.20")
    assert "Warning: " in finished.out
    assert "bob <bob@social.example> by email: only urgent releases" in finished.out


def test_changes_since_a_check(staffed: Staffed) -> None:
    """The decision of the next check is shown as such; sent notices are shown for former addresses."""
    staffed.world.update_server.publish("4.5.20")
    staffed.world.check()
    staffed.set_preference("bob", "all")
    lines = staffed.world.run("explain", "4.5.20").out.splitlines()
    at = lines.index("To be notified at the next check:")
    assert lines[at + 1] == "  bob <bob@social.example> by email: patches are wanted"
    staffed.change("UPDATE users SET email = 'new@social.example' WHERE email = 'alice@social.example'")
    finished = staffed.world.run("explain", "alice@social.example")
    assert "alice@social.example is not a recipient or a sink now" in finished.out
    assert "  4.5.20: 20" in finished.out


def test_withdrawn_release(mail_world: World) -> None:
    """A release that was withdrawn before it was sent is shown with the reason."""
    mail_world.smtp.replies["MAIL"] = "451 4.7.1 later"
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.withdraw("4.5.20")
    mail_world.check()
    finished = mail_world.run("explain", "4.5.20")
    assert "because the update server did not list it any more" in finished.out
    assert "answered MAIL with 451 4.7.1 later" in finished.out
    (row,) = mail_world.run("explain", "4.5.20", "--json").json["deliveries"]
    assert (row["state"], row["reason"], len(row["attempts"])) == ("cancelled", "withdrawn", 1)


def test_warning_of_another_command(world: World) -> None:
    """A warning about the configured sinks is shown by `recipients`, not by `explain`."""
    world.only("log")
    world.set(SMTP_SERVER=None, UPDATE_CHECK_SINKS=None, UPDATE_CHECK_RECIPIENTS=None)
    warning = "Warning: notices go only to the log"
    assert [warning in world.run(*words).out for words in (("recipients",), ("explain", "log"))] == [True, False]


def test_retry(mail_world: World) -> None:
    """Deferred and refused messages are due at once, and the next check sends them."""
    mail_world.set(UPDATE_CHECK_RECIPIENTS="ops@social.example,boss@social.example")
    mail_world.smtp.refused = {"ops@social.example": "550 5.1.1 no", "boss@social.example": "550 5.1.1 no"}
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 2, 0, 0, 2)
    mail_world.smtp.refused.clear()
    assert mail_world.check().result == (75, 0, 0, 0, 2)
    finished = mail_world.run("retry", "boss@social.example")
    assert "1 message is due now. The daemon is not running: `mastodon-update-check check` tries now" in finished.out
    assert mail_world.check().result == (75, 0, 1, 0, 1)
    assert [mail.recipient for mail in mail_world.mails] == ["boss@social.example"]
    assert mail_world.run("retry", "--json", "4.5.20").json["retried"] == 1
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    assert "Nothing that matches is undelivered." in mail_world.run("retry", "4.5.20").out


def test_retry_wakes_the_daemon(world: World) -> None:
    """A running daemon takes up what it would have let rest for an hour."""
    world.only("webhook")
    answers = [Reply(503, headers={"Retry-After": "3600"}), Reply(204)]
    world.answer_hook = lambda _: answers.pop(0)
    world.update_server.publish("4.5.20")
    with world.daemon():
        wait_until(lambda: bool(world.rows("SELECT 1 FROM sink WHERE failures = 1")))
        finished = world.run("retry", "webhook")
        wait_until(lambda: world.rows("SELECT state FROM message") == [("sent",)])
    assert (len(world.calls), "1 message is due now. The daemon tries now" in finished.out) == (2, True)
