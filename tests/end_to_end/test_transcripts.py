"""What every command prints for a new, a healthy, a pending, an urgent, a failing and a broken server.

The files in tests/transcripts are what an administrator reads; `make transcripts` rewrites them.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end import transcripts
from end_to_end.world import World, wait_until
from simulators.http_server import Reply
from simulators.smtp_server import SmtpServer

Situation = Callable[[World], AbstractContextManager[None]]
EXPLAIN = ("explain 4.5.20", "explain 4.5", "explain boss@social.example", "explain webhook")
SKIP = ("skip 4.5.20", "skip", "skip --undo 4.5.20")
ALL = (
    "recipients",
    "doctor",
    "check",
    "status",
    "status --alive",
    "route",
    *EXPLAIN,
    *SKIP,
    "retry",
    "send-test",
    "ledger backup copy",
)
BROKEN = ("run", *ALL[:6], EXPLAIN[0], *ALL[-3:])
WRONG = ("send-test nowhere", "explain nobody", "retry nothing", "skip latest", "status --json --wrong")


@contextlib.contextmanager
def new(world: World) -> Iterator[None]:
    """Nothing has been done yet."""
    assert world.update_server.url
    yield


@contextlib.contextmanager
def healthy(world: World) -> Iterator[None]:
    """The daemon is running, and nothing is newer."""
    world.update_server.set_current_end("2099-02-20")
    with world.start("run") as daemon:
        wait_until(lambda: "Daemon:      running" in world.run("status").out)
        try:
            yield
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.communicate()


@contextlib.contextmanager
def pending(world: World) -> Iterator[None]:
    """A patch and a newer branch are out, and notices of both were sent."""
    world.update_server.publish("4.5.20")
    world.update_server.publish("4.6.9", type="minor")
    world.update_server.set_current_end("2099-02-20")
    world.check()
    yield


@contextlib.contextmanager
def urgent(world: World) -> Iterator[None]:
    """The patch has become urgent, and support ends soon."""
    world.update_server.publish("4.5.20")
    world.check()
    world.update_server.make_urgent("4.5.20")
    world.update_server.set_current_end((datetime.now(UTC) + timedelta(days=10)).date().isoformat())
    yield


@contextlib.contextmanager
def failing(world: World) -> Iterator[None]:
    """One address is refused, one deferred, the webhook is stopped, and the update server is down."""
    assert isinstance(world.mail_server, SmtpServer)
    world.update_server.publish("4.5.20")
    world.mail_server.refused = {
        "boss@social.example": "550 5.1.1 no such user",
        "ops@social.example": "451 4.7.1 greylisted",
    }
    world.answer_hook = lambda _: Reply(410, b"gone")
    world.check()
    world.update_server.fail(500)
    world.check()
    world.let_pass(hours=7)
    yield


@contextlib.contextmanager
def wrong_settings(world: World) -> Iterator[None]:
    """A value and a name are wrong."""
    world.set(UPDATE_CHECK_INTERVAL="soon", UPDATE_CHECK_WEBHOK_URL="https://chat.example/")
    yield


@contextlib.contextmanager
def damaged_ledger(world: World) -> Iterator[None]:
    """Something else stands where the ledger was."""
    world.ledger.write_text("no ledger")
    yield


@pytest.fixture
def server(world: World) -> World:
    """Return a server with two recipients and a signed webhook, seen from a terminal without systemd."""
    world.set(
        PATH="/nonexistent",
        UPDATE_CHECK_INSTALL_KIND="source",
        UPDATE_CHECK_LOG_FORMAT="console",
        UPDATE_CHECK_RECIPIENTS="ops@social.example,boss@social.example=critical",
        UPDATE_CHECK_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4,
        SMTP_FROM_ADDRESS="mastodon@social.example",
    )
    return world


@pytest.mark.parametrize(
    ("name", "situation", "commands"),
    [
        (
            "new",
            new,
            ("doctor", "check --dry-run", "status", "status --alive", "route", *EXPLAIN, SKIP[0], "retry", ALL[-1]),
        ),
        ("healthy", healthy, (*ALL, *WRONG)),
        ("pending", pending, ALL),
        ("urgent", urgent, ("check", "status", "route", *EXPLAIN, "retry", SKIP[0], "status", EXPLAIN[0])),
        (
            "failing",
            failing,
            ("status", "doctor", *EXPLAIN, "retry 4.5.20", "check", "retry --stopped", "send-test", "status"),
        ),
        ("wrong_settings", wrong_settings, (*BROKEN, SKIP[0])),
        ("damaged_ledger", damaged_ledger, (*BROKEN, SKIP[0], "ledger new", "status")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_transcript(server: World, name: str, situation: Situation, commands: tuple[str, ...]) -> None:
    """The output equals the reviewed file."""
    with situation(server):
        transcript = transcripts.write(server, commands)
    file = transcripts.DIRECTORY / f"{name}.txt"
    if os.environ.get("TRANSCRIPTS") == "write":
        file.write_text(transcript)
    assert file.read_text() == transcript


def test_run(server: World) -> None:
    """The journal of a life: a start, a check, notices, reloads good and bad, a check that fails, a stop."""
    server.set(UPDATE_CHECK_LOG_FORMAT=None)
    server.update_server.publish("4.5.20")
    with transcripts.Journal(server) as journal:
        journal.follow("mastodon-update-check run", "delivery.sent", 3)
        server.update_server.make_urgent("4.5.20")
        server.config_file.write_text("UPDATE_CHECK_REMINDERS=all\n")
        journal.reload("the release has become urgent; a setting has changed", "delivery.sent", 4)
        server.config_file.write_text("UPDATE_CHECK_REMINDERS=sometimes\n")
        journal.reload("a setting is wrong", "daemon.reload_failed", 1)
        server.config_file.write_text("")
        server.update_server.fail(500)
        journal.reload("it is corrected; the update server is out of order", "check.failed", 1)
        transcript = journal.stop()
    file = transcripts.DIRECTORY / "run.txt"
    if os.environ.get("TRANSCRIPTS") == "write":
        file.write_text(transcript)
    # Checks and deliveries are processes of their own: their lines may come in another order.
    assert sorted(file.read_text().splitlines()) == sorted(transcript.splitlines())


def test_help(server: World) -> None:
    """Each command says in few words what it does, with examples where they help; lines may end elsewhere."""
    server.set(COLUMNS="100")
    commands = (
        *("run", "check", "status", "recipients", "doctor", "route", "send-test", "explain", "retry", "skip", "setup"),
        *("ledger", "ledger backup", "ledger copy", "ledger new"),
    )
    transcript = transcripts.write(server, [f"{command} --help" for command in commands])
    file = transcripts.DIRECTORY / "help.txt"
    if os.environ.get("TRANSCRIPTS") == "write":
        file.write_text(transcript)
    assert file.read_text().split() == transcript.split()
