"""Messages for the tests of sinks."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.errors import DeliveryError
from mastodon_update_check.messages.message import Message, MessageType
from mastodon_update_check.sinks.email import EmailSink, create
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.smtp_server import SmtpServer

ID = "0123456789abcdef0123456789abcdef"
ADDRESS = "admin@social.example"
PASSWORD = "correct horse battery staple"
USERS = {"mastodon": PASSWORD}
LOGIN = {"login": "mastodon", "password": PASSWORD}
PATIENT = MailLimits(connect=10, reply=30, accept=30)
SHORT = MailLimits(connect=0.2, reply=0.2, accept=0.4, total=timedelta(seconds=20))
"""For servers that hang."""
PAYLOAD: Mapping[str, object] = {
    "type": "update.available",
    "timestamp": "2026-11-23T12:00:00Z",
    "data": {
        "instance": "social.example",
        "installed_version": "4.5.19",
        "urgent": False,
        "updates": [
            {"version": "4.5.20", "type": "patch", "urgent": False, "release_notes": "https://example/4.5.20"},
            {"version": "4.6.9", "type": "minor", "urgent": False, "release_notes": "https://example/4.6.9"},
        ],
    },
}

MESSAGE = Message(
    id=ID,
    type=MessageType.UPDATE_AVAILABLE,
    instance="social.example",
    recipient=Recipient(sink="email", key="user:1", address=ADDRESS),
    created_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    dated_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    urgent=False,
    thread="feedfacefeedface",
    subject="[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
    text="A bug-fix release for your branch; not marked urgent.\n",
    html="<p>A bug-fix release for your branch; not marked urgent.</p>\n",
    payload=PAYLOAD,
    devops_users=("alice", "bob"),
)


def to(address: str) -> Message:
    """Return the message to another recipient, with an id of its own."""
    return replace(MESSAGE, id=address.encode().hex()[:32].ljust(32, "0"), recipient=recipient(address))


def recipient(address: str) -> Recipient:
    """Return a recipient of mail."""
    return Recipient(sink="email", key=f"address:{address}", address=address)


def email_sink(port: int, limits: MailLimits | None = None, /, **options: str) -> "closing[EmailSink]":
    """Return a mail sink for a server on localhost; closed at the end of its context."""
    return closing(create({"server": "localhost", "port": str(port), "domain": "social.example", **options}, limits))


def refusal(server: SmtpServer, **options: str) -> DeliveryError:
    """Return the error of an attempt, which must fail and leave no mail behind."""
    with email_sink(server.port, **options) as sink, pytest.raises(DeliveryError) as caught:
        sink.send(MESSAGE)
    assert server.mails == []
    return caught.value
