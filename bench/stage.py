"""The directory, settings and neighbours of the measured processes."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from bench.neighbours import MailServer, NotifySocket, UpdateServer

PROGRAMS = Path(sys.executable).parent
HERE = Path(__file__).parent


class Stage:
    """A Mastodon server that is one release behind, with mail and log; isolated from this machine's settings."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.directory = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.updates = self._stack.enter_context(UpdateServer())
        self.mail = self._stack.enter_context(MailServer())
        (self.directory / "config.env").touch()
        self.ledger = self.directory / "ledger.sqlite3"
        return self

    def __exit__(self, *_: object) -> None:
        self.updates.shutdown()
        self.mail.shutdown()
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """Of every process, including the references; bytecode is cached, as for an installed package.

        httpx and structlog would import click and rich, which the tools of development bring (`bench/absent`).
        """
        return {
            "HOME": str(self.directory),
            "PATH": f"{PROGRAMS}:{os.defpath}",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(HERE / "absent"),
            "PYTHONPYCACHEPREFIX": str(self.directory / "bytecode"),
        }

    @property
    def settings(self) -> dict[str, str]:
        """Of our program."""
        return {
            **self.environment,
            "LOCAL_DOMAIN": "social.example",
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": str(self.mail.port),
            "SMTP_FROM_ADDRESS": "notifications@social.example",
            "SMTP_ENABLE_STARTTLS": "never",
            "UPDATE_CHECK_CONFIG": str(self.directory / "config.env"),
            "UPDATE_CHECK_INTERVAL": "1s",
            "UPDATE_CHECK_JITTER": "0",
            "UPDATE_CHECK_LEDGER": str(self.ledger),
            "STATE_DIRECTORY": str(self.directory),
            "UPDATE_CHECK_MASTODON_ROOT": str(self.directory),
            "UPDATE_CHECK_MASTODON_VERSION": "4.7.0",
            "UPDATE_CHECK_RECIPIENTS": "admin@social.example",
            "UPDATE_CHECK_URL": self.updates.url,
        }

    @property
    def every_sink(self) -> dict[str, str]:
        """Settings of all the sinks."""
        return {
            "UPDATE_CHECK_SINKS": "email,log,webhook,apprise",
            "UPDATE_CHECK_WEBHOOK_URL": f"{self.updates.url}/webhook",
            "UPDATE_CHECK_APPRISE_URL": f"json://127.0.0.1:{self.updates.server_port}/apprise",
        }

    def forget(self) -> None:
        """Remove the ledger, so that there is something to notify again."""
        for file in self.directory.glob(f"{self.ledger.name}*"):
            file.unlink()

    @contextmanager
    def running(self, command: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
        """Run a daemon; the block begins at its `READY=1`."""
        with NotifySocket(self.directory / "notify") as notify:
            log = self.directory / "log"
            with log.open("wb") as stderr:
                variables = {**environment, "NOTIFY_SOCKET": str(notify.path)}
                process = subprocess.Popen(command, env=variables, stderr=stderr)
            try:
                notify.wait(process)
                yield process
            except RuntimeError:
                sys.stderr.write(log.read_text())
                raise
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
