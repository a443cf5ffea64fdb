"""Several nodes with one ledger, one update server, and a collector that accounts for every mail."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

from cluster.node import LONGEST, Node
from ledger.locations import DATABASE, ROLE, postgres_location, query
from mastodon_update_check.ledger.engine import stamp
from simulators.collector import Collector
from simulators.postgres import Postgres
from simulators.update_server import UpdateServer

INSTANCE = "social.example"
RECIPIENTS = tuple(f"ops{number}@social.example" for number in range(4))
UNSETTLED = """
    SELECT 1 FROM message WHERE state IN ('pending', 'failed')
    UNION ALL SELECT 1 FROM attempt WHERE outcome IS NULL
"""


class Cluster:
    """Lasts as long as its context. Daemons check when they become the owner, and on request."""

    def __init__(self, home: Path, postgres: Postgres, hosts: int) -> None:
        self._home = home
        self._postgres = postgres
        self._count = hosts

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.location = stack.enter_context(postgres_location(self._postgres))
            self.updates = stack.enter_context(UpdateServer())
            self.collector = stack.enter_context(Collector())
            config = self._home / "config.env"
            config.touch()
            environment = {
                "LOCAL_DOMAIN": INSTANCE,
                "UPDATE_CHECK_CONFIG": str(config),
                "UPDATE_CHECK_MASTODON_ROOT": str(self._home),
                "UPDATE_CHECK_MASTODON_VERSION": "4.5.0",
                "UPDATE_CHECK_INSTANCE_URL": "",
                "UPDATE_CHECK_URL": self.updates.url,
                "UPDATE_CHECK_LEDGER": (
                    f"postgresql://{ROLE}:right@127.0.0.1:{{port}}/{DATABASE}?schema={self.location.schema}"
                ),
                "UPDATE_CHECK_RECIPIENTS": ",".join(f"{one}=all" for one in RECIPIENTS),
                "UPDATE_CHECK_SINKS": "email",
                "UPDATE_CHECK_INTERVAL": "1h",
                "UPDATE_CHECK_LOG_FORMAT": "json",
                "SMTP_SERVER": "127.0.0.1",
                "SMTP_PORT": str(self.collector.mail_server.port),
                "SMTP_FROM_ADDRESS": f"mastodon@{INSTANCE}",
            }
            self.nodes = [
                stack.enter_context(
                    Node(f"node-{number}", self._home / f"node-{number}", environment, self._postgres.port)
                )
                for number in range(1, self._count + 1)
            ]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def publish(self, version: str) -> None:
        """Publish a release, expect a mail to each recipient, and request a check."""
        self.updates.publish(version)
        for recipient in RECIPIENTS:
            self.collector.want(recipient, version)
        query(
            self.location,
            "INSERT INTO request (id, instance, kind, arguments, asked_at) VALUES (?, ?, 'check', ?, ?)",
            *(uuid4().hex, INSTANCE, json.dumps({"mark": False}), stamp(datetime.now(UTC))),
        )

    def owner(self) -> tuple[str, str]:
        """Return host and token of the lease that is valid now; empty when there is none."""
        valid = "until_at > to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS')"
        rows = query(self.location, f"SELECT host, token FROM owner WHERE {valid}")  # noqa: S608 - our own text
        return (str(rows[0][0]), str(rows[0][1])) if rows else ("", "")

    def owner_node(self) -> Node:
        """Wait until a node owns the ledger; return it."""
        self.wait(lambda: self.owner()[0], "an owner")
        host, _ = self.owner()
        return next(node for node in self.nodes if node.host == host)

    def open_attempts(self) -> set[str]:
        """Return the ids of the messages that are being sent, as the ledger has it."""
        return {str(id_) for (id_,) in query(self.location, "SELECT message_id FROM attempt WHERE outcome IS NULL")}

    def is_settled(self) -> bool:
        """Whether every mail that is wanted has arrived, and the ledger has recorded it."""
        return not self.collector.account().lost and not query(self.location, UNSETTLED)

    def wait(self, is_true: Callable[[], object], what: str, seconds: float = LONGEST) -> None:
        """Wait for a condition."""
        end = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < end, f"timeout: {what}\n{self.collector.account()}\n{''.join(self._logs())}"
            time.sleep(0.05)

    def _logs(self) -> Iterator[str]:
        for node in self.nodes:
            yield f"--- {node.host}\n{node.log[-4000:]}"
