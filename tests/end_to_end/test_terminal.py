"""Answers on a person's terminal: no log lines, wrapped to the width, colour, progress."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
import time
from threading import Thread

import pytest

from end_to_end.world import World
from simulators.http_server import HttpServer, Reply, Request
from simulators.scripted_smtp_server import ScriptedSmtpServer

WIDTH = 80


def show(world: World, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run the program on a terminal; return its exit code and everything that the terminal got."""
    world.set(**{"TERM": "xterm", **variables})
    screen, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    chunks: list[bytes] = []

    def read() -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(screen, 65_536):
                chunks.append(chunk)

    reader = Thread(target=read)
    reader.start()
    code = world.start_on_terminal(end, *arguments).wait()
    os.close(end)
    reader.join()
    os.close(screen)
    return code, b"".join(chunks).decode().replace("\r\n", "\n")


def plain(text: str) -> str:
    """Return the text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture
def urgent(world: World) -> World:
    """Return a server with an urgent release and a sink that fails."""
    world.update_server.publish("4.5.20", urgent=True)
    world.use_mail_server(ScriptedSmtpServer({"RCPT": ["451 4.7.1 greylisted, try again in a quarter of an hour"] * 9}))
    world.check()
    return world


COMMANDS = (
    *("status", "doctor", "recipients", "explain 4.5.20", "explain ops@social.example", "send-test webhook"),
    *("check --dry-run", "check", "send-test", "route", "route 9.9", f"ledger copy /{'long/' * 9} /{'path/' * 9}"),
    *("skip 9.9.9", "explain nobody", "chek", "retry webhook", "skip", "ledger new"),
)


def test_answers(urgent: World) -> None:
    """There are no log lines, and lines fit the terminal unless one word is longer."""
    for command in COMMANDS:
        lines = plain(show(urgent, *command.split())[1]).splitlines()
        assert lines, command
        assert [line for line in lines if re.match(r"\d{4}-\d\d-\d\dT|\{", line)] == []
        wide = [line for line in lines if len(line) > WIDTH and len(max(line.split(), key=len)) < WIDTH // 2]
        assert wide == []


def test_links_are_whole(urgent: World) -> None:
    """A link for which a line has no room stands below; with --verbose the log is there, too."""
    lines = plain(show(urgent, "check", "--dry-run")[1]).splitlines()
    link = "    https://github.com/mastodon/mastodon/releases/tag/v4.5.20"
    assert lines[lines.index("Newer releases:") + 1 :][:2] == ["  4.5.20  patch, urgent", link]
    assert max(map(len, lines)) <= WIDTH
    assert "check.finished" in show(urgent, "check", "--dry-run", "-v")[1]


def test_log_sink(world: World) -> None:
    """The message of the log sink is one line of the answer, without time and fields, after the progress line."""

    def answer(_: Request) -> Reply:
        time.sleep(1.5)
        return Reply(200, b'{"updatesAvailable": [{"version": "4.5.20", "type": "patch", "urgent": true}]}')

    with HttpServer(answer) as server:
        world.set(UPDATE_CHECK_URL=server.url("/update-check"))
        _, text = show(world, "check")
    notice = "log: URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
    assert text.startswith(f"Checking …\r\x1b[K{notice}\n\r\x1b[Ksocial.example runs Mastodon 4.5.19.\n")


def test_status_with_wrong_settings(world: World) -> None:
    """A person reads the problems, not the line of a monitoring plugin."""
    code, text = show(world, "status", SMTP_PORT="abc")
    assert (code, text.splitlines()[0]) == (3, "mastodon-update-check: the settings are wrong:")


def test_status_screen(urgent: World) -> None:
    """A person reads a verdict and relative times; exit codes are those of the plugin."""
    code, text = show(urgent, "status")
    first, second, *rest = plain(text).splitlines()
    assert (code, first, second) == (2, "social.example: action needed", "  Install 4.5.20, it is urgent.")
    assert any(re.fullmatch(r"Last check   \d+ seconds? ago", line) for line in rest)
    assert "MASTODON-UPDATE-CHECK" not in text


@pytest.mark.parametrize(
    ("variables", "has_colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
    ids=["colour", "NO_COLOR", "dumb terminal"],
)
def test_colour(urgent: World, variables: dict[str, str], *, has_colour: bool) -> None:
    """Urgent and failing things have a colour where the terminal has colours and NO_COLOR is not set."""
    text = "".join(show(urgent, command, **variables)[1] for command in ("status", "doctor"))
    assert ("\x1b[1;31maction needed\x1b[0m" in text, "\x1b[33mwarning\x1b[0m" in text) == (has_colour, has_colour)
    assert ("\x1b[" in text.replace("\x1b[K", "")) == has_colour


def test_progress(world: World) -> None:
    """A wait of more than a second shows a line, which is erased when the answer comes."""

    def answer(_: Request) -> Reply:
        time.sleep(1.5)
        return Reply(204)

    world.answer_hook = answer
    _, text = show(world, "send-test", "webhook")
    assert "Waiting for a reply …\r\x1b[K" in text
    assert "Waiting" not in world.run("send-test", "webhook").out
