"""Mail server and webhooks in one, which know what is wanted: a missing message fails, and so does a repeated one.

::

    with Collector() as collector:
        world.use_collector(collector)
        collector.want("ops@social.example", "4.5.20")
        with collector.window():    # a process that is killed in here may repeat a message once, with the same id
            kill(world.start("check"))
        world.check()
        collector.check()           # nothing missing, nothing twice

Places are mail addresses, and paths of webhooks. Releases are written `4.5.20`, with `!` when marked urgent.
"""

import email
import email.policy
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Self

from simulators.http_server import Answer, HttpServer, Raw, Reply, Request, hang
from simulators.scripted_smtp_server import POLITE, Drop, JudgedSmtpServer

_NEW_RELEASE = re.compile(r"^  (?:now +|later +)?(\d+\.\d+\.\d+\S*)  +(urgent)?", re.MULTILINE)


class Manner(Enum):
    """How a place treats one attempt."""

    TAKE = auto()
    TAKE_AND_CUT = auto()
    """Accept, and hang up before the reply: the sender cannot know."""
    PUT_OFF = auto()
    REFUSE = auto()
    CUT = auto()
    """Hang up without having accepted."""
    HANG = auto()
    """Never answer, as long as the collector lasts: not for inside a window, which waits for the last word."""


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One message that one place has accepted."""

    place: str
    id: str
    rows: frozenset[str]
    """The releases that it announced as new; `notice ID` for a message about anything else."""
    is_doubtful: bool
    """Whether its sender may not know that it was accepted, and has the right to say it once more."""


@dataclass(slots=True)
class Account:
    """The result, row by row."""

    delivered: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    """Notices that no recipient ever wanted."""
    repeats: list[str] = field(default_factory=list)
    """Repeats that nothing excuses, or under another id."""
    excused: list[str] = field(default_factory=list)
    """Repeats of what was in doubt, under the same id."""
    left_out: list[str] = field(default_factory=list)
    """Repeats of what was in doubt under another id, since the former one has been used up without it."""

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        return [*self.lost, *self.unwanted, *self.repeats]


class Collector:
    """Receives while its context lasts."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.manner: Callable[[str], Manner] = lambda _: Manner.TAKE
        """Asked once for each attempt at a place."""
        self.on_arrival: Callable[[Arrival], None] = lambda _: None
        """Called when a message has been taken and before it is answered; it may kill the sender."""
        self.mail_is_closed = False  # whether the mail server refuses every connection
        self.mail_server = JudgedSmtpServer(self._judge)
        self.receiver = HttpServer(self._take_call)
        self._wanted: list[tuple[str, tuple[str, ...]]] = []
        self._allowed: set[tuple[str, str]] = set()
        self._account = Account()
        self._last: dict[tuple[str, str], Arrival] = {}
        """The last message that brought a row to a place."""
        self._carried: dict[tuple[str, str], frozenset[str]] = {}
        """What the last message of an id brought to a place."""
        self._lock = threading.Lock()
        self._in_window = False
        self._manners = threading.local()
        self._stopped = threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.mail_server)
        self._stack.enter_context(self.receiver)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._stack.close()

    def want(self, place: str, *rows: str) -> None:
        """Expect a row in a place; any one of several will do, as when the urgent form covers the plain one."""
        self._wanted.append((place, rows))
        self.allow(place, *rows)

    def allow(self, place: str, *rows: str) -> None:
        """Take rows without complaint, since they are true for a while."""
        self._allowed |= {(place, row) for row in rows}

    @contextmanager
    def window(self) -> Iterator[None]:
        """Hold everything that arrives in here for doubtful: its sender is killed, or something like it."""
        self._in_window = True
        try:
            yield
            self._wait_until_quiet()
        finally:
            self._in_window = False

    def settle(self, known: Iterable[tuple[str, str]]) -> None:
        """Take rows that the sender has recorded as sent out of doubt: pairs of message id and row."""
        recorded = set(known)
        for arrival in self.arrivals:
            if {(arrival.id, row) for row in arrival.rows} <= recorded:
                arrival.is_doubtful = False

    def account(self) -> Account:
        """Return the result so far."""
        with self._lock:
            lost = [
                f"{place}: {' or '.join(rows)}"
                for place, rows in self._wanted
                if not any((place, row) in self._last for row in rows)
            ]
            return replace(self._account, lost=lost)

    def check(self) -> None:
        """Fail on missing and on repeated notices."""
        account = self.account()
        assert account.faults == [], (account, self.arrivals)

    def _count(self, arrival: Arrival) -> None:
        """Classify a message by the messages before it, and by the rows in doubt at this moment."""
        with self._lock:
            for row in sorted(arrival.rows):
                self._judge_row(arrival, row).append(f"{arrival.place}: {row} in {arrival.id}")
            self._last |= {(arrival.place, row): arrival for row in arrival.rows}
            self._carried[arrival.place, arrival.id] = arrival.rows
            self.arrivals.append(arrival)

    def _judge_row(self, arrival: Arrival, row: str) -> list[str]:
        """Return the list in which a row that has arrived is counted."""
        account = self._account
        before = self._last.get((arrival.place, row))
        urgent = self._last.get((arrival.place, f"{row}!"))
        if urgent is not None and not urgent.is_doubtful:
            return account.repeats  # the urgent form says it all
        if before is None:
            is_allowed = (arrival.place, row) in self._allowed or row.startswith("notice ")
            return account.delivered if is_allowed else account.unwanted
        if not before.is_doubtful:
            return account.repeats
        if before.id == arrival.id:
            return account.excused
        # Once the id has come again without the row, the row can only come under another one.
        is_used_up = row not in self._carried[before.place, before.id]
        return account.left_out if is_used_up else account.repeats

    def _judge(self, verb: str, address: str, data: bytes) -> str | Drop:
        """Answer for the mail server; the manner is asked for once, at RCPT."""
        polite = str(POLITE.get(verb, "500 5.5.1 what?"))
        if verb == "CONNECT" and self.mail_is_closed:
            return "421 4.3.2 closed"
        if verb == "RCPT":
            self._manners.now = self.manner(address)
            return "550 5.1.1 no such user" if self._manners.now is Manner.REFUSE else polite
        if verb != "END":
            return polite
        manner: Manner = self._manners.now
        if manner in {Manner.TAKE, Manner.TAKE_AND_CUT}:
            self._take(_read_mail(address, data.replace(b"\r\n..", b"\r\n.")), manner)
        elif manner is Manner.HANG:
            self._stopped.wait()
        return {Manner.TAKE: polite, Manner.PUT_OFF: "451 4.3.0 later"}.get(manner, Drop())

    def _wait_until_quiet(self) -> None:
        """Wait until all bytes have been read that a dead sender's connections still hold."""
        with socket.create_connection(("127.0.0.1", self.mail_server.port)) as visit:
            visit.makefile("rb").readline()
        with socket.create_connection(("127.0.0.1", self.receiver.port)) as visit:
            visit.sendall(b"GET / HTTP/1.1\r\n\r\n")
            visit.makefile("rb").readline()
        end = time.monotonic() + 30
        while self.mail_server.sockets or self.receiver.sockets:
            assert time.monotonic() < end, "connections that do not end"
            time.sleep(0.001)

    def _take_call(self, request: Request) -> Answer:
        if len(request.body) < int(request.headers.get("content-length", "1")):
            return Reply(400)  # an unknown path, or an incomplete call
        manner = self.manner(request.path)
        if manner in {Manner.TAKE, Manner.TAKE_AND_CUT}:
            self._take(_read_call(request), manner)
        answers: dict[Manner, Answer] = {
            Manner.TAKE: Reply(204),
            Manner.PUT_OFF: Reply(503),
            Manner.REFUSE: Reply(400),
            Manner.HANG: hang(),
        }
        return answers.get(manner, Raw([]))

    def _take(self, arrival: Arrival, manner: Manner) -> None:
        arrival.is_doubtful = self._in_window or manner is Manner.TAKE_AND_CUT
        self._count(arrival)
        self.on_arrival(arrival)


def _read_mail(address: str, data: bytes) -> Arrival:
    message = email.message_from_bytes(data, policy=email.policy.default)
    key = str(message["X-Update-Check-ID"])
    assert str(message["Message-ID"]).startswith(f"<{key}@"), message["Message-ID"]
    text = next(message.iter_parts()).get_content()
    found = [f"{version}{'!' if urgent else ''}" for version, urgent in _NEW_RELEASE.findall(text)]
    is_release = message["X-Update-Check-Event"] == "update.available"
    return _arrival(address, key, found if is_release else [])


def _read_call(request: Request) -> Arrival:
    updates = json.loads(request.body)["data"]["updates"]
    found = [f"{one['version']}{'!' if one['urgent'] else ''}" for one in updates if one["new"]]
    return _arrival(request.path, request.headers["webhook-id"], found)


def _arrival(place: str, key: str, rows: list[str]) -> Arrival:
    return Arrival(place=place, id=key, rows=frozenset(rows or [f"notice {key}"]), is_doubtful=False)
