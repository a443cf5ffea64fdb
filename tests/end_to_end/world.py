"""One Mastodon server with its neighbours: the real program as a process, real sockets, a directory of its own.

::

    world.update_server.publish("4.5.20")
    finished = world.run("check")
    assert (finished.code, len(world.mails)) == (0, 1)

The program gets the variables in `world.environment` and nothing else but PATH and COVERAGE_PROCESS_START. 4.5.19 is
installed; the recipients are ops@social.example by mail, one webhook, and the log.
"""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from end_to_end.finished import Finished
from end_to_end.passing import let_pass
from processes.starters import Order, Process, shared
from simulators.collector import Collector
from simulators.http_server import Answer, HttpServer, Reply, Request
from simulators.scripted_smtp_server import ScriptedSmtpServer
from simulators.smtp_server import ReceivedMail, SmtpServer
from simulators.update_server import UpdateServer

PROGRAM = str(Path(sys.executable).with_name("mastodon-update-check"))
NOTES = "https://github.com/mastodon/mastodon/releases/tag/v"
_KEPT = ("PATH", "COVERAGE_PROCESS_START")
# Started through these, the program is an ordinary user for file permissions.
WITHOUT_PRIVILEGES = (
    sys.executable,
    "-c",
    # prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH): root minds permissions then; others do anyway.
    """if True:
    import ctypes, os, sys
    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])
    """,
)


class World:
    """The neighbours of one program; lasts as long as its context."""

    def __init__(self, directory: Path, mail_server: SmtpServer | ScriptedSmtpServer | None = None) -> None:
        self.directory = directory
        self.update_server = UpdateServer()
        self.mail_server = mail_server or SmtpServer()
        self.answer_hook: Callable[[Request], Answer] = lambda _: Reply(204)
        self.receiver = HttpServer(lambda request: self.answer_hook(request))  # noqa: PLW0108 - it may change
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        for neighbour in (self.update_server, self.mail_server, self.receiver):
            self._stack.enter_context(neighbour)
        self.config_file.touch()
        self.ledger.parent.mkdir(mode=0o700)
        self.environment = {
            "HOME": str(self.directory),
            "LOCAL_DOMAIN": "social.example",
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": str(self.mail_server.port),
            "UPDATE_CHECK_CONFIG": str(self.config_file),
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_LEDGER": str(self.ledger),
            "UPDATE_CHECK_MASTODON_ROOT": str(self.root),
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
            "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
            "UPDATE_CHECK_URL": self.update_server.url,
            "UPDATE_CHECK_WEBHOOK_URL": self.receiver.url("/hook"),
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def ledger(self) -> Path:
        return self.directory / "state" / "ledger.sqlite3"

    @property
    def config_file(self) -> Path:
        """Our own file; empty."""
        return self.directory / "config.env"

    @property
    def root(self) -> Path:
        """The Mastodon tree; there is none yet."""
        return self.directory / "live"

    @property
    def smtp(self) -> SmtpServer:
        """The mail server, where it is not a scripted one."""
        assert isinstance(self.mail_server, SmtpServer)
        return self.mail_server

    @property
    def mails(self) -> list[ReceivedMail]:
        """The mails that the mail server has accepted."""
        return self.smtp.mails

    @property
    def subjects(self) -> list[str]:
        """The subjects of the mails."""
        return [str(mail.message["Subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        """Both forms of each mail, one after the other."""
        return ["\n".join(part.get_content() for part in mail.message.iter_parts()) for mail in self.mails]

    @property
    def mail_events(self) -> list[str]:
        """The events that the mails are about."""
        return [str(mail.message["X-Update-Check-Event"]) for mail in self.mails]

    @property
    def calls(self) -> list[Request]:
        """The calls of the webhook's receiver."""
        return self.receiver.requests

    @property
    def hook_events(self) -> list[str]:
        """The events that the webhook's calls are about."""
        return [json.loads(call.body)["type"] for call in self.calls]

    @property
    def notified(self) -> tuple[int, int]:
        """How many mails and webhook calls there were."""
        return len(self.mails), len(self.calls)

    def set(self, **variables: str | None) -> None:
        """Change the environment; None removes a variable."""
        for name, value in variables.items():
            self.environment.pop(name, None)
            if value is not None:
                self.environment[name] = value

    def only(self, sink: str) -> None:
        """Use one sink alone."""
        self.set(UPDATE_CHECK_SINKS=sink)
        if sink != "webhook":
            self.set(UPDATE_CHECK_WEBHOOK_URL=None)

    def use_mail_server(self, server: SmtpServer | ScriptedSmtpServer) -> None:
        """Send mail there from now on."""
        self._stack.enter_context(server)
        self.mail_server = server
        self.set(SMTP_PORT=str(server.port))

    def use_collector(self, collector: Collector, *hooks: str) -> None:
        """Send to a collector instead, by mail and by these webhooks of its own (paths)."""
        self.set(SMTP_PORT=str(collector.mail_server.port), UPDATE_CHECK_WEBHOOK_URL=None)
        for hook in hooks:
            self.set(**{f"UPDATE_CHECK_WEBHOOK_{hook.strip('/').upper()}_URL": collector.receiver.url(hook)})

    @property
    def variables(self) -> dict[str, str]:
        """All that the program gets."""
        return _inherited() | self.environment

    def start(
        self, *arguments: str, out: int = subprocess.PIPE, err: int = subprocess.PIPE, through: tuple[str, ...] = ()
    ) -> subprocess.Popen[str]:
        """Start the program, by way of another command if given."""
        return subprocess.Popen(
            [*through, PROGRAM, *arguments],
            env=self.variables,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            text=True,
        )

    @contextlib.contextmanager
    def daemon(self) -> Iterator[subprocess.Popen[str]]:
        """Let the daemon run; at the end it is stopped, unless it has ended before."""
        with self.start("run") as process:
            wait_until(lambda: self.run("status", "--alive").code == 0)
            try:
                yield process
            finally:
                process.terminate()
                process.communicate()

    def run(self, *arguments: str, through: tuple[str, ...] = ()) -> Finished:
        """Run the program to its end, by way of another command if given; forked, which is faster, if that will do."""
        if through or self.needs_an_interpreter:
            with self.start(*arguments, through=through) as process:
                out, err = process.communicate()
            return Finished(process.returncode, out, err)
        return Finished(*shared().run(arguments, self.variables, self.directory))

    def start_on_terminal(self, terminal: int, *arguments: str) -> Process:
        """Start the program with both outputs on a terminal; forked, if that will do."""
        if self.needs_an_interpreter:
            return self.start(*arguments, out=terminal, err=terminal)
        name = Path(os.ttyname(terminal))
        return shared().start(
            Order(arguments=arguments, environment=self.variables, directory=self.directory, out=name, err=name)
        )

    @property
    def needs_an_interpreter(self) -> bool:
        """Whether a variable acts only while Python starts."""
        return bool({"COVERAGE_PROCESS_START", "PYTHONPATH"} & self.variables.keys())

    def check(self) -> Finished:
        """Run `check --json`."""
        return self.run("check", "--json")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the ledger."""
        with contextlib.closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def bytes_of_state(self) -> dict[str, bytes]:
        """Return all that lies where the ledger lies."""
        return {path.name: path.read_bytes() for path in self.ledger.parent.iterdir()}

    def let_pass(self, **duration: float) -> None:
        """Let time pass: every instant that the ledger holds moves into the past."""
        let_pass(self.ledger, timedelta(**duration))


def _inherited() -> dict[str, str]:
    """Return PATH, and what makes coverage count the program's processes, which run elsewhere, too."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if start := kept.get("COVERAGE_PROCESS_START"):
        kept["COVERAGE_FILE"] = os.environ.get("COVERAGE_FILE", str(Path(start).with_name(".coverage")))
    return kept


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process or thread is about to do."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "timeout"
        time.sleep(0.01)
