"""`kill -9` at any moment: after one more check every recipient has been notified."""

import fcntl
import json
import os
from collections.abc import Callable

import pytest

from end_to_end.world import World, wait_until
from simulators.collector import Collector
from simulators.http_server import Reply, hang
from simulators.scripted_smtp_server import Hang, ScriptedSmtpServer
from simulators.smtp_server import SmtpServer


def blocked_pipe() -> tuple[int, int]:
    """Return a full pipe, so that a process that writes to it waits."""
    reading, writing = os.pipe()
    flags = fcntl.fcntl(writing, fcntl.F_GETFL)
    fcntl.fcntl(writing, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(writing, b"x" * size)
        except BlockingIOError:
            continue
    fcntl.fcntl(writing, fcntl.F_SETFL, flags)
    return reading, writing


def kill_when(world: World, condition: Callable[[], bool], err: int) -> None:
    """Start a check, and kill it when it has come to a certain point."""
    with world.start("check", err=err) as process:
        wait_until(condition)
        process.kill()


def test_killed_between_plan_and_send(world: World) -> None:
    """The plan is in the ledger before anything is sent: the next check sends it all."""
    world.update_server.publish("4.5.20")
    reading, writing = blocked_pipe()  # it waits to say that the check is finished: planned, and nothing sent

    def is_planned() -> bool:
        return world.ledger.exists() and world.rows("SELECT count(*) FROM message") == [(3,)]

    kill_when(world, is_planned, writing)
    assert (world.rows("SELECT count(*) FROM attempt"), world.notified) == ([(0,)], (0, 0))
    os.close(reading)
    os.close(writing)
    assert world.check().result == (0, 0, 3, 0, 0)
    assert world.notified == (1, 1)


@pytest.mark.parametrize("step", ["CONNECT", "RCPT", "END"])
def test_killed_while_a_mail_is_on_its_way(mail_world: World, step: str) -> None:
    """The next check owns the ledger at once, and sends it with the id that it had."""
    mail_world.update_server.publish("4.5.20")
    hanging = ScriptedSmtpServer({step: [Hang()]})
    mail_world.use_mail_server(hanging)

    def is_waiting() -> bool:
        return bool({"RCPT": hanging.verbs[-1:] == ["RCPT"], "END": hanging.bodies}.get(step, hanging._used))

    kill_when(mail_world, is_waiting, os.open(os.devnull, os.O_WRONLY))
    mail_world.use_mail_server(SmtpServer())
    assert mail_world.check().result == (0, 0, 1, 0, 0)
    (mail,) = mail_world.mails
    for body in hanging.bodies:
        assert f"Message-ID: {mail.message['Message-ID']}".encode() in body
    assert mail_world.check().result == (0, 0, 0, 0, 0)


def test_killed_while_a_webhook_is_called(world: World) -> None:
    """The receiver may have accepted it: it gets the same id again, and can drop the repeat."""
    world.only("webhook")
    world.update_server.publish("4.5.20")
    world.answer_hook = lambda _: hang()
    kill_when(world, lambda: bool(world.calls), os.open(os.devnull, os.O_WRONLY))
    world.answer_hook = lambda _: Reply(204)
    world.let_pass(seconds=10)
    assert world.check().result == (0, 0, 1, 0, 0)
    first, second = world.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(first.body)["data"] == json.loads(second.body)["data"]


def test_killed_at_a_random_moment(world: World) -> None:
    """At any moment, also in the first tenths of a second, the ledger is intact and no recipient is missed."""
    world.update_server.publish("4.5.20")
    with Collector() as collector:
        world.use_collector(collector, "/hook")
        collector.want("ops@social.example", "4.5.20")
        collector.want("/hook", "4.5.20")
        with collector.window():
            for milliseconds in range(150, 400, 25):
                with world.start("check", through=("timeout", "-s", "KILL", str(milliseconds / 1000))) as process:
                    process.communicate()
        if world.ledger.exists():
            world.let_pass(seconds=10)
        assert world.check().code == 0
        assert world.check().result == (0, 0, 0, 0, 0)
        collector.check()
