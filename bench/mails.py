"""Mails: 1,000 recipients notified, each delivery durably recorded, against a bare `smtplib` loop.

The mail server is aiosmtpd in a process of its own, on loopback. The loop writes a mail for each recipient with
`email.message` (the same text and HTML), sends it over one connection, and records nothing.
"""

import os
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from bench.figure import Ratio, alternate
from bench.stage import Stage
from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from mastodon_update_check.jobs.check import CheckOptions
from mastodon_update_check.messages.message import Message

LIMIT = 1.0
ROUNDS = 5
MAILS = 1_000
SENDER = "notifications@social.example"
_SERVER = """\
import sys
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
controller = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]))
controller.start()
print("ready", flush=True)
sys.stdin.read()
"""


def measure(stage: Stage) -> Ratio:
    """Measure the deliveries of a process; its start, the check and the plan are not part of it."""
    logs.configure("info", "json", stream=Path(os.devnull).open("w"))  # noqa: SIM115 - as long as the process
    with _MailServer() as server:
        app, messages = _prepare(stage, server.port)
        planned = stage.directory / "planned.sqlite3"
        shutil.copy(stage.ledger, planned)
        return Ratio(
            ours=f"{MAILS} mails composed, sent and durably recorded",
            reference="a bare smtplib loop over one connection: mails by email.message, nothing recorded",
            unit="ms",
            pairs=alternate(lambda: _send_bare(server.port, messages), lambda: _deliver(stage, app, planned), ROUNDS),
            limit=LIMIT,
        )


class _MailServer:
    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        command = [sys.executable, "-c", _SERVER, str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _prepare(stage: Stage, port: int) -> tuple[App, list[Message]]:
    """Check once, so that 1,000 messages are due; return them as they will be composed."""
    stage.forget()
    settings = {
        **stage.settings,
        "SMTP_PORT": str(port),
        "UPDATE_CHECK_SINKS": "email",
        "UPDATE_CHECK_RECIPIENTS": ",".join(f"admin{n}@social.example" for n in range(MAILS)),
    }
    app = App(load_settings(settings))
    with app.create_ledger() as ledger:
        app.run_check(ledger, CheckOptions())
    planned = shutil.copy(stage.ledger, stage.directory / "composed.sqlite3")
    messages: list[Message] = []
    with app.open_ledger() as ledger:
        (worker,) = app.delivery_workers(ledger)
        worker.load_sink = lambda: _CollectingSink(messages)
        worker.deliver_due(ledger)
    stage.forget()
    shutil.move(planned, stage.ledger)
    return app, messages


class _CollectingSink:
    def __init__(self, messages: list[Message]) -> None:
        self._messages = messages

    def send(self, message: Message) -> str:
        self._messages.append(message)
        return ""


def _deliver(stage: Stage, app: App, planned: Path) -> float:
    stage.forget()
    shutil.copy(planned, stage.ledger)
    with app.open_ledger() as ledger:
        deliveries = app.deliveries(ledger, due_by=app.clock())
        began = time.perf_counter()
        deliveries.run(ledger)
        assert deliveries.sent == MAILS
        return (time.perf_counter() - began) * 1000


def _send_bare(port: int, messages: list[Message]) -> float:
    began = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for message in messages:
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = SENDER, message.recipient.address, message.subject
            mail["Message-ID"] = f"<{message.id}@social.example>"
            mail.set_content(message.text)
            mail.add_alternative(message.html, subtype="html")
            server.send_message(mail)
    return (time.perf_counter() - began) * 1000
