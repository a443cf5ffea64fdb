"""A server on loopback with a thread for each connection; leaving its context ends every connection."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self

Send = Callable[[socket.socket, bytes], None]


class LoopbackServer:
    """Listens while its context lasts; a subclass serves a connection in `serve`."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self.sockets: set[socket.socket] = set()
        """The open connections."""
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        end(self._listener)
        self._acceptor.join()
        self._listener.close()
        for sock in tuple(self.sockets):
            end(sock)
        for thread in self._threads:
            thread.join()

    def serve(self, sock: socket.socket) -> None:
        """Speak with one client until the conversation is over or `stopping` is set."""
        raise NotImplementedError

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener was shut down
            while True:
                sock, _ = self._listener.accept()
                self.sockets.add(sock)
                self._threads.append(self._start(self._serve, sock))

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock:
                self.serve(sock)
        finally:
            self.sockets.discard(sock)

    def _start(self, run: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        thread.start()
        return thread


def send_all(target: socket.socket, data: bytes) -> None:
    """Send bytes by the method of the socket's own class, which may be that of TLS."""
    target.sendall(data)


def forward(client: socket.socket, server: socket.socket, send: Send = send_all) -> None:
    """Forward bytes in both directions until both sides have ended; `send` gets an empty text at the end."""
    back = threading.Thread(target=_copy, args=(server, client, send), daemon=True)
    back.start()
    _copy(client, server, send)
    back.join()


def end(sock: socket.socket) -> None:
    """End a connection, which wakes the thread that reads from it."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket, send: Send) -> None:
    with contextlib.suppress(OSError):
        data = b"more"
        while data:
            data = source.recv(65_536)
            send(target, data)
    end(target)
