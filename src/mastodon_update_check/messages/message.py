"""The message: what a sink delivers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mastodon_update_check.domain.recipients import Recipient


class MessageType(StrEnum):
    """The subject of a message; the `type` of its payload."""

    UPDATE_AVAILABLE = "update.available"
    UPDATE_REMINDER = "update.reminder"
    UPDATE_INSTALLED = "update.installed"
    SUPPORT_ENDING = "support.ending"
    CHECK_FAILING = "check.failing"
    CHECK_RECOVERED = "check.recovered"
    DELIVERY_FAILING = "delivery.failing"
    RESTART_DUE = "restart.due"
    MIGRATIONS_PENDING = "migrations.pending"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one recipient; the same on every attempt but for what has changed on the server meanwhile."""

    id: str
    """32 hexadecimal digits, the same on every attempt: a receiver drops a repeat by it."""
    type: MessageType
    instance: str
    """`LOCAL_DOMAIN` of the server that this is about."""
    recipient: Recipient
    created_at: datetime
    """When it was planned, aware, UTC; the payload's `timestamp`."""
    dated_at: datetime
    """The mail's `Date`: the start of the first attempt that may have arrived; until there is one, of this attempt."""
    urgent: bool
    thread: str
    """Id that the messages about one subject share, for mail threads."""
    subject: str
    text: str
    """Plain text, lines of at most 78 characters where words allow."""
    html: str
    payload: Mapping[str, object]
    """JSON body `{"type", "timestamp", "data"}` (Standard Webhooks 1.0.0)."""
    devops_users: tuple[str, ...] = ()
    """Names of the server's DevOps users, for sinks that show names; never addresses."""
    language: str = "en"
    """The language of subject, text and HTML (RFC 5646)."""
