"""Notifications to systemd: datagrams in UTF-8, one status line, the watchdog."""

import gc
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta

import pytest

from daemon.program import wait_until
from mastodon_update_check.daemon.systemd import STATUS_CHARACTERS, SystemdNotifier
from simulators.systemd import Systemd


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    """Return the other end of this process's NOTIFY_SOCKET."""
    systemd = Systemd()
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.path)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    yield systemd
    systemd.close()


@contextmanager
def notifying() -> Iterator[SystemdNotifier]:
    """Return a notifier whose socket is closed at the end; the daemon's lives as long as its process."""
    notifier = SystemdNotifier()
    assert notifier._notifier is not None
    yield notifier
    notifier._notifier.socket.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("all is well", "all is well"),
        ("it broke\nWATCHDOG_USEC=1", "it broke WATCHDOG_USEC=1"),
        ("it broke\r\x00\x1b[31m\u2028\u202e\x85READY=1", "it broke [31m READY=1"),
        ("grüße → 版本", "grüße → 版本"),
        ("a lone \udcff surrogate", "a lone surrogate"),
        ("ü" * 1000, "ü" * (STATUS_CHARACTERS - 1) + "…"),
    ],
)
def test_status_is_one_line(systemd: Systemd, text: str, line: str) -> None:
    """The status is cut and has no line break, which systemd would read as another assignment."""
    with notifying() as notifier:
        notifier.status(text)
    wait_until(lambda: systemd.received, "the status")
    assert systemd.lines == [f"STATUS={line}"]


def test_notifications(systemd: Systemd) -> None:
    """Each notification is a datagram; a reload carries its time."""
    with notifying() as notifier:
        notifier.notify("READY=1")
        notifier.reloading()
        notifier.notify("STOPPING=1")
    wait_until(lambda: len(systemd.received) == 3, "three messages")
    ready, reloading, stopping = (message.decode() for _, message in systemd.received)
    assert (ready, stopping) == ("READY=1", "STOPPING=1")
    word, _, moment = reloading.partition("\nMONOTONIC_USEC=")
    assert word == "RELOADING=1"
    assert int(moment) > 0


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, timedelta(seconds=30)),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "18446744073709551615"}, timedelta(microseconds=18446744073709551615 / 2)),
    ],
)
def test_watchdog(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], interval: timedelta | None) -> None:
    """Half of its patience, if there is one for this process."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with notifying() as notifier:
        assert notifier.watchdog_interval == interval


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library forgets the socket
def test_missing_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing socket is not an error."""
    for path in ("/nonexistent/notify", ""):
        monkeypatch.setenv("NOTIFY_SOCKET", path)
        SystemdNotifier().notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    SystemdNotifier().notify("READY=1")
    gc.collect()


def test_receiver_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver in the abstract namespace that reads late gets the first notification, and blocks none."""
    name = f"mastodon-update-check-deaf-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with ExitStack() as stack:
        sock = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        sock.bind(f"\0{name}")
        notifier = stack.enter_context(notifying())
        notifier.notify("READY=1")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
            other.setblocking(False)  # noqa: FBT003 - the standard library's signature
            while True:  # until the buffer is full
                other.sendto(b"filler", f"\0{name}")
        blocked = threading.Thread(target=notifier.notify, args=("READY=1",), daemon=True)
        blocked.start()
        blocked.join(60)
        assert not blocked.is_alive()
        assert sock.recv(100) == b"READY=1"
