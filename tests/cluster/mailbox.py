# ruff: noqa: N802  # aiosmtpd finds its hooks by names such as handle_RCPT
"""A mail server that can hold two senders in the middle of a delivery, and tells which processes they are."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from simulators.http_server import unused_port

BEFORE = "before the body"
AFTER = "after it was accepted"


@dataclass(slots=True)
class Hold:
    """One sender that waits for a reply."""

    pid: int
    stage: str
    recipient: str
    key: tuple[str, str] | None = None
    """Recipient and id of what was accepted; None before the body."""
    may_go_on: threading.Event = field(default_factory=threading.Event)


class Mailbox:
    """Accepts everything while its context lasts."""

    def __init__(self, pids: Sequence[int] = ()) -> None:
        self.accepted: list[tuple[str, str]] = []
        """Recipient and id of every mail that was accepted."""
        self.holds: list[Hold] = []
        self._stages: list[str] = []
        """At which stages the next senders are held."""
        self.pids: Iterable[int] = pids
        """The processes that may be held, each once."""
        self._controller = Controller(self, hostname="127.0.0.1", port=unused_port(), ready_timeout=60)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        for hold in self.holds:
            hold.may_go_on.set()
        self._controller.stop()

    def arm(self, stages: Sequence[str]) -> None:
        """Hold the next senders, each another process, at these stages."""
        self.holds = []
        self._stages = list(stages)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take any recipient."""
        del server, options
        envelope.rcpt_tos.append(address)
        await self._hold(BEFORE, session, address, None)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take any mail."""
        del server
        (recipient,) = envelope.rcpt_tos
        header = (envelope.original_content or b"").split(b"X-Update-Check-ID:", 1)[1]
        key = (recipient, header.split(b"\r\n", 1)[0].strip().decode())
        self.accepted.append(key)
        await self._hold(AFTER, session, recipient, key)
        return "250 2.0.0 OK"

    async def _hold(self, stage: str, session: Session, recipient: str, key: tuple[str, str] | None) -> None:
        if stage not in self._stages[:1]:
            return
        pid = _find_pid(int(cast("tuple[str, int]", session.peer)[1]), self.pids)
        if pid is None or pid in {hold.pid for hold in self.holds}:
            return
        self._stages.pop(0)
        hold = Hold(pid=pid, stage=stage, recipient=recipient, key=key)
        self.holds.append(hold)
        await asyncio.to_thread(hold.may_go_on.wait)


def _find_pid(port: int, pids: Iterable[int]) -> int | None:
    """Return which of the processes has a connection from a local port."""
    inodes = {line.split()[9] for line in _connections() if int(line.split()[1].split(":")[1], 16) == port}
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return next((pid for pid in pids if sockets & set(_descriptors(pid))), None)


def _connections() -> list[str]:
    return Path("/proc/net/tcp").read_text().splitlines()[1:]


def _descriptors(pid: int) -> Iterable[str]:
    try:
        names = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it has just been killed
        return
    for name in names:
        with suppress(OSError):  # closed at this moment
            yield str(name.readlink())
