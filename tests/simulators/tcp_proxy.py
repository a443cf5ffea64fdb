"""A TCP proxy on loopback: the network between one machine and a server, which a test can cut."""

import contextlib
import selectors
import socket
import threading
from enum import Enum, auto
from typing import Self

_CHUNK = 65_536
_POLL_SECONDS = 0.05


class Network(Enum):
    """The state of the network."""

    WORKS = auto()
    REFUSES = auto()
    """Connections are reset, and new ones end at once."""
    SILENT = auto()
    """Nothing passes, and nothing is reset: a cable was unplugged."""


class TcpProxy:
    """Forwards connections to a port on loopback while its context lasts."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._state = Network.WORKS
        self._peers: dict[socket.socket, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._end_all()
        self._selector.close()
        self._listener.close()

    def set(self, state: Network) -> None:
        """Change the network; no byte passes after a cut. Connections that were cut do not come back."""
        with self._lock:
            if state is not Network.SILENT:
                self._end_all()
            self._state = state

    def _run(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(_POLL_SECONDS):
                with self._lock:
                    self._forward(key.fileobj)

    def _forward(self, source: object) -> None:
        if self._state is Network.SILENT:
            self._is_over.wait(_POLL_SECONDS)
        elif source is self._listener:
            self._accept()
        elif isinstance(source, socket.socket) and source in self._peers:
            try:
                data = source.recv(_CHUNK)
                self._peers[source].sendall(data)
            except OSError:
                data = b""
            if not data:
                self._end(source)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._state is Network.REFUSES:
            client.close()
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:  # it is being restarted
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _end_all(self) -> None:
        while self._peers:
            self._end(next(iter(self._peers)))

    def _end(self, one: socket.socket) -> None:
        for sock in (one, self._peers[one]):
            del self._peers[sock]
            self._selector.unregister(sock)
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
