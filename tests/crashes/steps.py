"""Counts the steps of the process that it is loaded into, and kills that process at one of them.

A step is whatever leaves a trace outside: a statement of SQLite, a byte that goes over a socket or comes from one, a
file that is made, linked, renamed, removed or synced. The program knows nothing of this: Python's audit hooks, SQLite's
trace callbacks and the library's sockets tell it. `STEPS_FATAL` is the number of the step before which the process
dies by SIGKILL (from 1); `STEPS_FILE` is where to write the steps down.
"""

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
_WORDS = 4
"""How much of a statement tells which one it is."""


class Steps:
    """The steps of one process, of all its threads."""

    def __init__(self, fatal: int, file: str) -> None:
        self._fatal = fatal
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if file else None
        self._count = 0
        self._lock = threading.Lock()

    def install(self) -> None:
        """Begin to count; there is no way back."""
        sys.addaudithook(self._hear)
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
        """Take one step; it may be the last one."""
        with self._lock:
            self._count += 1
            if self._file is not None:
                os.write(self._file, f"{name}\n".encode())
            if self._count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in {"socket.connect", "socket.getaddrinfo"} or event in _FILES:
            self.take(event)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            self.take("open")

    def _wrap(self, owner: object, name: str, *, before: str, after: str) -> None:
        function: Callable[..., Any] = getattr(owner, name)

        def counted(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - whatever the library takes and returns
            if before:
                self.take(before)
            result = function(*arguments, **more)
            if after:
                self.take(after)
            return result

        setattr(owner, name, counted)


def install(environment: Mapping[str, str]) -> None:
    """Count, if the environment asks for it."""
    fatal, file = environment.get("STEPS_FATAL"), environment.get("STEPS_FILE", "")
    if fatal or file:
        Steps(int(fatal or 0), file).install()
