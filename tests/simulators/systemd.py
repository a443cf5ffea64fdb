"""systemd's side of a unit: the socket to which a service sends its notifications (sd_notify(3))."""

import socket
import tempfile
import threading
import time
from pathlib import Path

_LAST = b"X_LAST=1"


class Systemd:
    """The other end of NOTIFY_SOCKET: keeps every message, with the time of its arrival."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory()  # pytest's own paths may be too long for a socket
        self.path = str(Path(self._directory.name, "notify"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self.received: list[tuple[float, bytes]] = []
        self._is_settled = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """Every line, in order; bytes that are not UTF-8 fail the test, as systemd refuses them."""
        return [line for _, message in self.received for line in message.decode().split("\n")]

    @property
    def statuses(self) -> list[str]:
        """The status lines."""
        return [line.removeprefix("STATUS=") for line in self.lines if line.startswith("STATUS=")]

    def feedings(self) -> list[float]:
        """Return the times at which the watchdog was fed."""
        return [at for at, message in self.received if message == b"WATCHDOG=1"]

    def close(self) -> None:
        """Stop receiving."""
        self._send(b"")
        self._thread.join()
        self._socket.close()
        self._directory.cleanup()

    def settle(self) -> None:
        """Wait until everything that was sent so far has been received."""
        self._is_settled.clear()
        self._send(_LAST)
        assert self._is_settled.wait(90)

    def _send(self, message: bytes) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message, self.path)

    def _listen(self) -> None:
        while message := self._socket.recv(65_536):
            if message == _LAST:
                self._is_settled.set()
            else:
                self.received.append((time.monotonic(), message))
