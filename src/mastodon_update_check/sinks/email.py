"""Mail: one message as one mail to one recipient, in the bytes of RFC 5322 and MIME, over SMTP.

Options are Mastodon's `SMTP_…` variables in lower case and without their prefix.
"""

import re
from binascii import b2a_qp
from collections.abc import Mapping
from contextlib import suppress
from email.header import Header
from email.utils import format_datetime, formataddr

from mastodon_update_check.domain.addresses import Mailbox, parse_address, parse_mailbox
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import ascii_domain
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.smtp import MailConnection
from mastodon_update_check.sinks.smtp_server import MailLimits, SmtpOptions

_BOUNDARY = "=_alternative"  # `=_` cannot occur in quoted-printable text
_WORD_CHARACTERS = 76  # of a line with an encoded word (RFC 2047, 2)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_AUTOMATIC = {  # as in Mastodon's own mails, so that filters treat both alike (RFC 3834 for the first)
    "Auto-Submitted": "auto-generated",
    "Precedence": "list",
    "X-Auto-Response-Suppress": "All",
}
_URGENT = {"Importance": "high", "Priority": "urgent", "X-Priority": "1"}


class EmailSink:
    """Hands mails over to one server; the connection is kept between them until `close`."""

    def __init__(self, options: Mapping[str, str], limits: MailLimits | None = None) -> None:
        given = {name: options[name] for name in SmtpOptions.__slots__ if options.get(name)}
        for name in {"server", "domain"} & given.keys():
            if ":" not in given[name]:  # an IPv6 address has no labels
                given[name] = ascii_domain(given[name].removesuffix("."))
        self._options = SmtpOptions(**given)
        self._limits = limits or MailLimits()
        self._author = parse_mailbox(options.get("from_address", "notifications@localhost"))
        self._reply_to = parse_mailbox(options["reply_to"]) if "reply_to" in options else None
        self._sender = (parse_mailbox(options["return_path"]) if "return_path" in options else self._author).address
        self._connection: MailConnection | None = None

    def send(self, message: Message) -> str:
        """Hand `message` over; return the server's reply to it.

        Raises `TransientDeliveryError`, sink-wide if the server or the settings are at fault, or
        `PermanentDeliveryError` if mail cannot be sent to this address, or the server refuses this mail.
        """
        recipient = _recipient(message.recipient.address)
        mail = write_mail(message, recipient, self._author, self._reply_to)
        connection = self._announce(recipient)
        try:
            connection.name(recipient)
            return connection.hand_over(mail)
        except DeliveryError:
            if connection.is_open:
                connection.courtesy("RSET")
            raise
        finally:
            if not connection.is_open:
                self.close()

    def rehearse(self, address: str) -> str:
        """Go through the dialogue for a mail to `address` up to RCPT, and send nothing; return a sentence."""
        recipient = _recipient(address)
        try:
            connection = self._announce(recipient)
            connection.name(recipient)
            connection.courtesy("RSET")
        finally:
            self.close()
        how = ("encrypted" if connection.is_encrypted else "unencrypted", "logged in" if self._options.logs_in else "")
        return f"{self._options.place} takes mail for {recipient.address} ({', '.join(filter(None, how))})"

    def close(self) -> None:
        """End the connection; the next `send` opens another one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.leave()

    def _announce(self, recipient: Mailbox) -> MailConnection:
        """Return a connection on which a mail to `recipient` has begun: the one that is open, or else a new one.

        A server may end an idle connection, or one that has brought enough. It does not know the recipient yet.
        """
        if self._connection is not None:
            with suppress(TransientDeliveryError):
                self._connection.announce(recipient, self._sender)
                return self._connection
        self._connection = MailConnection(self._options, self._limits)
        self._connection.open()
        self._connection.announce(recipient, self._sender)
        return self._connection


create = EmailSink


def _recipient(address: str) -> Mailbox:
    try:
        return parse_address(address.strip())
    except ValueError as error:
        raise PermanentDeliveryError(str(error)) from error


def write_mail(message: Message, recipient: Mailbox, author: Mailbox, reply_to: Mailbox | None = None) -> bytes:
    """Return `message` as a mail to `recipient`, with CRLF at the end of every line.

    The library's `email` would break long message ids, which some servers do not put together again. Only the
    recipient's address can be other than ASCII, for SMTPUTF8 (RFC 6531).
    """
    headers = (f"{name}: {value}\r\n" for name, value in _headers(message, recipient, author, reply_to).items())
    parts = (_part("plain", message.text), _part("html", message.html))
    return "".join((*headers, *parts, f"\r\n--{_BOUNDARY}--\r\n")).encode()


def _part(kind: str, text: str) -> str:
    """Return `text` in ASCII, in lines of at most 76 characters; a lone surrogate becomes a question mark."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    encoded = b2a_qp(lines.encode(errors="replace")).decode().replace("\n", "\r\n")
    return (
        f"\r\n--{_BOUNDARY}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{encoded}"
    )


def _headers(message: Message, recipient: Mailbox, author: Mailbox, reply_to: Mailbox | None) -> dict[str, str]:
    domain = ascii_domain(message.instance)
    thread = f"<{_NOT_IN_IDS.sub('-', message.thread)}.thread@{domain}>"
    return {
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{_BOUNDARY}"',
        "Date": format_datetime(message.dated_at),
        "From": _written("From", author),
        **({"Reply-To": _written("Reply-To", reply_to)} if reply_to else {}),
        "To": recipient.address,
        "Subject": _encoded("Subject", clean(message.subject)),
        "Message-ID": f"<{_NOT_IN_IDS.sub('-', message.id)}@{domain}>",
        **({"In-Reply-To": thread, "References": thread} if message.thread else {}),
        "List-Id": f"<updates.mastodon-update-check.{domain}>",
        "X-Update-Check-ID": clean(message.id),
        "X-Update-Check-Event": message.type.value,
        **_AUTOMATIC,
        **(_URGENT if message.urgent else {}),
        "Content-Language": message.language,
    }


def _written(header: str, mailbox: Mailbox) -> str:
    if mailbox.name.isascii():
        return formataddr((mailbox.name, mailbox.address))
    return f"{_encoded(header, mailbox.name)}\r\n <{mailbox.address}>"


def _encoded(header: str, text: str) -> str:
    """Return `text` as a header carries it: ASCII as it is, the rest in encoded words, one a line (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", _WORD_CHARACTERS, header).encode(linesep="\r\n")
