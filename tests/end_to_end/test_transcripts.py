"""What every command prints for a new, a healthy, a pending, an urgent, a failing and a broken server.

The files in tests/transcripts are what an administrator reads; `make transcripts` rewrites them.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end import transcripts
from end_to_end.world import World
from simulators.http_server import Reply

Situation = Callable[[World], AbstractContextManager[None]]
EXPLAIN = ("explain 4.5.20", "explain 4.5", "explain boss@social.example", "explain webhook")
SKIP = ("skip 4.5.20", "skip", "skip --undo 4.5.20")
STATUS = ("status", "status --alive")
ALL = ("recipients", "doctor", "check", *STATUS, "route", *EXPLAIN, *SKIP, "retry", "send-test", "ledger backup copy")
BROKEN = ("run", *ALL[:6], "status --json", EXPLAIN[0], SKIP[0], *ALL[-3:])
WRONG = (
    *("send-test nowhere", "explain nobody", "retry @", "route 4.5.21", "ledger copy typo copy"),
    *("skip latest", "skip 4.5.19", "skip 4.5.20 4.5.99", "skip --undo", "skip --json 4.5.20"),
    *("skip 4.5.20 --until soon", "skip 4.5.20 --until 2020-01-01"),
)
SECOND_TRY = ("retry --stopped", "send-test", "status")
USAGE = (
    *("", "update", "stauts", "check --force", "check now", "check --dry-run --mark", "status --wrong", "status extra"),
    *("ledger", "ledger backup", "ledger restore", "setup --dry-run --undo", "copy-settings ../../etc/passwd"),
)
HELP = (
    *("run", "check", "status", "recipients", "doctor", "route", "send-test", "explain", "retry", "skip", "setup"),
    *("ledger", "ledger backup", "ledger copy", "ledger new"),
)


@contextlib.contextmanager
def new(world: World) -> Iterator[None]:
    """Nothing has been done yet, and the commands leave it so."""
    yield
    assert world.bytes_of_state() == {}


@contextlib.contextmanager
def healthy(world: World) -> Iterator[None]:
    """The daemon is running, and nothing is newer."""
    world.update_server.set_current_end("2099-02-20")
    with world.daemon():
        yield


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
    world.update_server.publish("4.5.20")
    world.smtp.refused = {"boss@social.example": "550 5.1.1 no such user", "ops@social.example": "451 4.7.1 greylisted"}
    world.answer_hook = lambda _: Reply(410, b"gone")
    world.check()
    world.update_server.fail(500)
    world.check()
    world.let_pass(hours=7)
    yield


@contextlib.contextmanager
def wrong_settings(world: World) -> Iterator[None]:
    """A value and a name are wrong; nothing is made or asked."""
    world.set(UPDATE_CHECK_INTERVAL="soon", UPDATE_CHECK_WEBHOK_URL="https://chat.example/")
    yield
    assert (world.bytes_of_state(), world.update_server.http.requests) == ({}, [])


@contextlib.contextmanager
def damaged_ledger(world: World) -> Iterator[None]:
    """Something else stands where the ledger was."""
    world.ledger.write_text("no ledger")
    yield


@pytest.fixture
def server(world: World) -> World:
    """Return a server with two recipients and a signed webhook, seen from a terminal without systemd."""
    world.set(
        COLUMNS="100",
        PATH="/nonexistent",
        UPDATE_CHECK_INSTALL_KIND="source",
        UPDATE_CHECK_LOG_FORMAT="console",
        UPDATE_CHECK_RECIPIENTS="ops@social.example,boss@social.example=critical",
        UPDATE_CHECK_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4,
        SMTP_FROM_ADDRESS="mastodon@social.example",
    )
    return world


def reviewed(name: str, transcript: str) -> str:
    """Return the reviewed file; `make transcripts` writes it."""
    file = transcripts.DIRECTORY / f"{name}.txt"
    if os.environ.get("TRANSCRIPTS") == "write":
        file.write_text(transcript)
    return file.read_text()


@pytest.mark.parametrize(
    ("situation", "commands"),
    [
        (new, ("doctor", "check --dry-run", *STATUS, "route", *EXPLAIN, SKIP[0], *ALL[-3:])),
        (healthy, ALL),
        (pending, ("status --json", *ALL, *WRONG)),
        (urgent, ("check --dry-run", "check", "status", "route", *EXPLAIN, "retry", SKIP[0], "status", EXPLAIN[0])),
        (failing, ("status --json", "doctor", *EXPLAIN, "retry 4.5.20", "check", "check --json", *SECOND_TRY)),
        (wrong_settings, BROKEN),
        (damaged_ledger, (*BROKEN, "ledger new", "status", "check")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_transcript(server: World, situation: Situation, commands: tuple[str, ...]) -> None:
    """The output equals the reviewed file."""
    with situation(server):
        transcript = transcripts.write(server, commands)
    assert reviewed(situation.__name__, transcript) == transcript


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
    # Checks and deliveries are processes of their own: their lines may come in another order.
    assert sorted(reviewed("run", transcript).splitlines()) == sorted(transcript.splitlines())


@pytest.mark.parametrize(
    ("name", "commands"), [("help", [f"{command} --help" for command in HELP]), ("usage", USAGE)], ids=["help", "usage"]
)
def test_help(server: World, name: str, commands: list[str]) -> None:
    """Each command says in few words what it does; a wrong usage is told before the settings are read."""
    with wrong_settings(server):
        transcript = transcripts.write(server, commands)
    # Python breaks the lines elsewhere in other versions.
    expected, actual = (text.replace("\n2>", "\n").split() for text in (reviewed(name, transcript), transcript))
    assert actual == expected
