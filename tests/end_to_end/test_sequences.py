"""Several checks in a row, while feed, recipients and sinks change: each notice is sent once while it is true."""

import contextlib
import itertools
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.world import World
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from simulators.collector import Collector
from simulators.http_server import Reply

URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"


def accept(world: World) -> None:
    """Let the mail server work again, and the time for another attempt come."""
    world.smtp.replies.clear()
    world.let_pass(hours=1)


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
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
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
    mail_world.smtp.replies["END"] = "451 4.3.0 later"
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


def test_marked_notices_are_never_sent(world: World) -> None:
    """`check --mark` sends pending releases neither now nor later; without an answer it marks nothing."""
    world.update_server.publish("4.5.20", urgent=True)
    world.update_server.fail(503)
    marked = world.run("check", "--mark")
    assert (marked.code, "0 messages marked as sent" in marked.out) == (1, True)
    world.update_server.recover()
    marked = world.run("check", "--mark")
    assert (marked.code, "3 messages marked as sent; nothing was sent." in marked.out) == (0, True)
    assert (world.check().result, world.notified) == ((0, 0, 0, 0, 0), (0, 0))


def test_an_address_corrected_after_a_refusal(mail_world: World) -> None:
    """A refused address delays no other, and the corrected one gets the notice at once."""
    mail_world.smtp.refused["opps@social.example"] = "550 5.1.1 no such user"
    mail_world.set(UPDATE_CHECK_RECIPIENTS="opps@social.example, second@social.example")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 2, 1, 0, 1)
    assert mail_world.check().result == (75, 0, 0, 0, 1)
    mail_world.set(UPDATE_CHECK_RECIPIENTS="ops@social.example, second@social.example")
    assert mail_world.check().result == (0, 1, 1, 0, 0)
    assert [mail.recipient for mail in mail_world.mails] == ["second@social.example", "ops@social.example"]


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


def test_new_url_of_a_webhook_gets_no_message_of_the_old_one(world: World) -> None:
    """A daemon delivers before its first check, which then plans for the new URL."""
    world.only("webhook")
    world.answer_hook = lambda request: Reply(503 if request.path == "/hook" else 204)
    world.update_server.publish("4.5.20")
    assert world.check().result == (75, 1, 0, 1, 0)
    world.set(UPDATE_CHECK_WEBHOOK_URL=world.receiver.url("/new"))
    app = App(load_settings(world.environment))
    with app.open_ledger() as ledger:
        app.deliveries(ledger).run(ledger)
        assert app.next_due_at(ledger) is None
    assert world.check().result == (0, 1, 1, 0, 0)
    assert [call.path for call in world.calls] == ["/hook", "/new"]


def test_changed_settings_are_tried_by_the_command_itself(mail_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message of a corrected sink counts as due when the command began, however slow the machine is."""
    port = mail_world.environment["SMTP_PORT"]
    mail_world.set(SMTP_PORT="1")
    mail_world.update_server.publish("4.5.20")
    assert mail_world.check().result == (75, 1, 0, 1, 0)
    mail_world.set(SMTP_PORT=port)
    instants = (datetime.now(UTC) + timedelta(seconds=number) for number in itertools.count())
    monkeypatch.setattr(App, "clock", staticmethod(lambda: next(instants)))
    app = App(load_settings(mail_world.environment))
    with app.open_ledger() as ledger:
        app.deliveries(ledger, due_by=app.clock()).run(ledger)
    assert len(mail_world.mails) == 1
