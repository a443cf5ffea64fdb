"""Several checks in a row: each notice is sent once while it is true."""

import contextlib
import json

from end_to_end.world import World, wait_until
from simulators.collector import Collector
from simulators.http_server import Reply
from simulators.smtp_server import SmtpServer

LATER = "451 4.3.0 later"
URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"


def defer(world: World) -> None:
    """Let the mail server accept nothing for the moment."""
    assert isinstance(world.mail_server, SmtpServer)
    world.mail_server.replies["END"] = LATER


def accept(world: World) -> None:
    """Let the mail server work again, and the time for another attempt come."""
    assert isinstance(world.mail_server, SmtpServer)
    world.mail_server.replies.clear()
    world.let_pass(hours=1)


def test_notified_once(world: World) -> None:
    """Repeated checks send nothing again; reminders have tests of their own."""
    world.set(UPDATE_CHECK_REMINDERS="none")
    world.update_server.publish("4.5.20", urgent=True)
    assert world.check().result == (0, 3, 3, 0, 0)
    for _ in range(2):
        world.let_pass(days=10)
        assert world.check().result == (0, 0, 0, 0, 0)
    assert world.notified == (1, 1)


def test_later_release_is_sent_alone(mail_world: World) -> None:
    """A later release is sent; an earlier one is only mentioned."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.publish("4.7.6", type="minor")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects == [PLAIN, "[social.example] Mastodon 4.7.6 is out (you run 4.5.19)"]
    assert "4.5.20" in mail_world.texts[1]


def test_withdrawn_and_listed_again_after_it_was_sent(mail_world: World) -> None:
    """A sent release that returns is not sent again."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.withdraw("4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [PLAIN]


def test_withdrawn_and_listed_again_before_it_was_sent(mail_world: World) -> None:
    """An unsent release is cancelled while it is withdrawn, and sent once when it is back."""
    defer(mail_world)
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    mail_world.update_server.withdraw("4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    accept(mail_world)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [PLAIN]


def test_urgency_that_rises_after_it_was_sent(mail_world: World) -> None:
    """A sent release that turns urgent is sent once more, and only once."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.make_urgent("4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    mail_world.update_server.make_urgent("4.5.20", urgent=False)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.update_server.make_urgent("4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [PLAIN, URGENT]


def test_urgency_that_rises_before_it_was_sent(mail_world: World) -> None:
    """The urgent notice takes the place of the one that is still waiting."""
    defer(mail_world)
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.make_urgent("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    accept(mail_world)
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    mail_world.update_server.make_urgent("4.5.20", urgent=False)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [URGENT]


def test_critical_preference_gets_a_release_that_turns_urgent(mail_world: World) -> None:
    """A recipient of urgent notices gets the release when it turns urgent."""
    mail_world.set(UPDATE_CHECK_RECIPIENTS="ops@social.example=critical")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.update_server.make_urgent("4.5.20")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects == [URGENT]


def test_installed_while_deferred(mail_world: World) -> None:
    """An installed release is not sent; after a downgrade it is."""
    defer(mail_world)
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    accept(mail_world)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.19")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects == [PLAIN]


def test_withdrawn_while_deferred(mail_world: World) -> None:
    """A mail that has been tried and not accepted is given up with its release; the other one stays."""
    defer(mail_world)
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    mail_world.update_server.withdraw("4.5.20")
    assert mail_world.check().result == (75, 0, 0, 1, 0)
    accept(mail_world)
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    assert mail_world.subjects == ["[social.example] Mastodon 4.7.6 is out (you run 4.5.19)"]
    assert "4.5.20" not in mail_world.texts[0]


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
    """With a new mail server what waits is tried at once, not when its time would have come."""
    assert isinstance(mail_world.mail_server, SmtpServer)
    mail_world.mail_server.replies["MAIL"] = "530 5.7.0 go away"
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    assert mail_world.check().result == (75, 0, 0, 1, 0)
    mail_world.use_mail_server(SmtpServer())
    assert mail_world.check().result == (0, 0, 1, 0, 0)


def test_downgrade(mail_world: World) -> None:
    """After a downgrade only unsent releases are sent."""
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.7.6", type="minor")
    mail_world.check()
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.19")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    mail_world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == ["[social.example] Mastodon 4.7.6 is out (you run 4.5.20)", PLAIN]


def test_two_daemons_on_different_versions(mail_world: World) -> None:
    """Two programs that see different versions of one server send everything once."""
    mail_world.update_server.publish("4.5.20")
    mail_world.update_server.publish("4.5.21", urgent=True)
    results = []
    for version in ("4.5.19", "4.5.20") * 3:
        mail_world.set(UPDATE_CHECK_MASTODON_VERSION=version)
        results.append(mail_world.check().result)
    assert results == [(0, 1, 1, 0, 0), *[(0, 0, 0, 0, 0)] * 5]
    assert len(mail_world.mails) == 1


def test_two_servers_on_one_ledger(mail_world: World) -> None:
    """Each server's recipients are notified of their own server, also if they are the same people."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.set(LOCAL_DOMAIN="other.example")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert [PLAIN, PLAIN.replace("social", "other")] == mail_world.subjects
    assert len({mail.message["X-Update-Check-ID"] for mail in mail_world.mails}) == 2


def test_lost_name_is_the_one_of_the_ledger(mail_world: World) -> None:
    """When the name is lost, notices go on under the known one: under another, all of them would be sent again."""
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.set(LOCAL_DOMAIN=None)
    mail_world.update_server.publish("4.5.21")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert mail_world.subjects[1].startswith("[social.example] ")
    assert (
        "LOCAL_DOMAIN is not set: the instance of the ledger, social.example, is used" in mail_world.run("doctor").out
    )


def test_lost_name_of_one_server_of_several(mail_world: World) -> None:
    """Where the ledger knows several servers, nothing is guessed: the settings are wrong."""
    mail_world.update_server.publish("4.5.20")
    for domain in ("social.example", "other.example"):
        mail_world.set(LOCAL_DOMAIN=domain)
        mail_world.check()
    mail_world.set(LOCAL_DOMAIN=None)
    for arguments in (["check"], ["check", "--dry-run"]):
        finished = mail_world.run(*arguments)
        assert finished.code == 78
        assert "LOCAL_DOMAIN is not set, but the ledger belongs to other.example, social.example" in finished.err
    assert len(mail_world.mails) == 2


def test_a_restored_backup(world: World) -> None:
    """Notices that the backup lacks are sent again, with the same ids."""
    world.check()
    backup = world.directory / "backup"
    assert world.run("ledger", "backup", str(backup)).code == 0
    world.update_server.publish("4.5.20")
    assert world.check().result == (0, 3, 3, 0, 0)
    world.ledger.write_bytes(backup.read_bytes())
    assert world.check().result == (0, 3, 3, 0, 0)
    assert len({mail.message["Message-ID"] for mail in world.mails}) == 1
    assert len({call.headers["webhook-id"] for call in world.calls}) == 1
    assert world.notified == (2, 2)


def test_checks_that_fail_in_between(mail_world: World) -> None:
    """A failed check changes nothing: pending messages are tried, and nothing is sent again."""
    defer(mail_world)
    mail_world.update_server.publish("4.5.20")
    mail_world.check()
    mail_world.update_server.fail(500)
    assert mail_world.check().result == (1, 0, 0, 1, 0)
    accept(mail_world)
    assert mail_world.check().result == (1, 0, 1, 0, 0)
    mail_world.update_server.recover()
    assert mail_world.check().result == (0, 0, 0, 0, 0)
    assert mail_world.subjects == [PLAIN]


def test_several_checks_at_once(world: World) -> None:
    """Concurrent checks by hand send each notice once."""
    world.update_server.publish("4.5.20")
    with Collector() as collector:
        world.use_collector(collector, "/hook")
        for place in ("ops@social.example", "/hook"):
            collector.want(place, "4.5.20")
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(world.start("check")) for _ in range(4)]
            for process in processes:
                process.communicate()
        assert world.check().result == (0, 0, 0, 0, 0)
        collector.check()


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
    """Its workers begin before the first check: what waits for the URL from before is not theirs to send."""
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
