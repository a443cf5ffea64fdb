"""A TCP proxy on loopback: the network between one machine and a server, which a test can cut."""

import contextlib
import socket
import threading
from enum import Enum, auto

from simulators.loopback import LoopbackServer, end, forward

_POLL_SECONDS = 0.05


class Network(Enum):
    """The state of the network."""

    WORKS = auto()
    REFUSES = auto()
    """Connections are reset, and new ones end at once."""
    SILENT = auto()
    """Nothing passes, and nothing is reset: a cable was unplugged."""


class TcpProxy(LoopbackServer):
    """Forwards connections to a port on loopback while its context lasts."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._state = Network.WORKS
        self._lock = threading.Lock()

    def set(self, state: Network) -> None:
        """Change the network; no byte passes after a cut. Connections that were cut do not come back."""
        with self._lock:
            if state is not Network.SILENT:
                for sock in tuple(self.sockets):
                    end(sock)
            self._state = state

    def serve(self, sock: socket.socket) -> None:
        """Forward one connection; the server may be restarting."""
        if self._state is Network.REFUSES:
            return
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._target)) as server:
            self.sockets.add(server)
            forward(sock, server, self._send)
            self.sockets.discard(server)

    def _send(self, target: socket.socket, data: bytes) -> None:
        """Send as soon as the network is not silent; the end of a connection, too, is not seen before."""
        while not self.stopping.is_set():
            with self._lock:
                if self._state is not Network.SILENT:
                    target.sendall(data)
                    return
            self.stopping.wait(_POLL_SECONDS)
