"""What the servers of the demonstration share: loopback, a free port, a thread of their own."""

import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Self


class LoopbackServer(ThreadingTCPServer):
    """Serves on a free port of 127.0.0.1 from `__enter__` to `__exit__`.

    It is not an `HTTPServer`, which looks up this host's name: that may take long without a network.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, handler: type[BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.port = int(self.server_address[1])
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Ignore clients that hang up."""
