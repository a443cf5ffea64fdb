"""Counts the steps of a program, and kills it at one of them, with all its processes or one child alone.

A step is an effect outside the process: a statement of SQLite, a byte that is sent or received on a socket, a file that
is created, linked, renamed, removed or synced. Audit hooks, SQLite's trace callbacks and wrapped socket methods report
them. `STEPS_FILE` names the file of the steps, one a line: the program's processes append to it, and its length
is their common count. `STEPS_FATAL` is the number of the step before which the program is killed (from 1),
`STEPS_VICTIM` the victim: `all`, or `child`.
"""

import fcntl
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_FILES = {"os.link", "os.rename", "os.remove", "os.mkdir"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_LINE = 60
"""Characters of a line."""
_WORDS = 4
"""How many words of a statement identify it."""


class Steps:
    """The steps of one process, its threads, its parent and its children."""

    def __init__(self, fatal: int, file: str, root: int, victim: str) -> None:
        self._fatal = fatal
        self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._root = root
        self._victim = victim
        self._lock = threading.Lock()

    def install(self) -> None:
        """Begin to count, until the process ends."""
        sys.addaudithook(self._on_audit_event)
        for name in ("send", "sendall"):
            self._wrap(socket.socket, name, before="send", after="sent")
        for name in ("recv", "recv_into"):
            self._wrap(socket.socket, name, before="", after="received")
        self._wrap(os, "fsync", before="fsync", after="")
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect

        def connect_traced(*arguments: Any, **more: Any) -> sqlite3.Connection:  # noqa: ANN401 - passed on
            connection = connect(*arguments, **more)
            connection.set_trace_callback(lambda statement: self.take(" ".join(statement.split()[:_WORDS])))
            return connection

        vars(sqlite3)["connect"] = connect_traced

    def take(self, name: str) -> None:
        """Count one step, and die at the fatal one."""
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            os.write(self._file, f"{name[:_LINE]:<{_LINE}}\n".encode())
            count = os.fstat(self._file).st_size // (_LINE + 1)
            fcntl.lockf(self._file, fcntl.LOCK_UN)
            if count == self._fatal and (self._victim == "all" or os.getpid() != self._root):
                if self._victim == "all":
                    os.kill(self._root, signal.SIGKILL)
                os.kill(os.getpid(), signal.SIGKILL)

    def _on_audit_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.getaddrinfo"} or event in _FILES:
            self.take(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            self.take("open")

    def _wrap(self, owner: object, name: str, *, before: str, after: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def counted(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as the library
            if before:
                self.take(before)
            result = function(*arguments, **more)
            if after:
                self.take(after)
            return result

        setattr(owner, name, counted)


def install(environment: Mapping[str, str]) -> None:
    """Count, if the environment requests it."""
    file = environment.get("STEPS_FILE", "")
    if file:
        root = int(os.environ.setdefault("STEPS_ROOT", str(os.getpid())))
        Steps(int(environment.get("STEPS_FATAL", "0")), file, root, environment.get("STEPS_VICTIM", "all")).install()
