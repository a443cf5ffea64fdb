"""Mail: one message as one mail to one recipient, over SMTP.

Options are Mastodon's `SMTP_…` variables in lower case and without their prefix.
"""

from collections.abc import Mapping
from contextlib import suppress

from mastodon_update_check.domain.addresses import Mailbox, parse_address, parse_mailbox
from mastodon_update_check.domain.urls import ascii_domain
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.mime import write_mail
from mastodon_update_check.sinks.smtp import MailConnection
from mastodon_update_check.sinks.smtp_server import MailLimits, SmtpOptions


class EmailSink:
    """Hands mails over to one server; the connection is kept between them until `close`."""

    def __init__(self, options: Mapping[str, str], limits: MailLimits) -> None:
        given = {name: options[name] for name in SmtpOptions.__slots__ if options.get(name)}
        for name in {"server", "domain"} & given.keys():
            if ":" not in given[name]:  # an IPv6 address has no labels
                given[name] = ascii_domain(given[name].removesuffix("."))
        self._options = SmtpOptions(**given)
        self._limits = limits
        self._author = parse_mailbox(options.get("from_address", "notifications@localhost"))
        self._reply_to = parse_mailbox(options["reply_to"]) if "reply_to" in options else None
        self._sender = (
            parse_mailbox(options["return_path"]).address if "return_path" in options else self._author.address
        )
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
        connection = MailConnection(self._options, self._limits)
        try:
            connection.open()
            connection.announce(recipient, self._sender)
            connection.name(recipient)
            connection.courtesy("RSET")
        finally:
            connection.leave()
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


def create(options: Mapping[str, str], limits: MailLimits | None = None) -> EmailSink:
    """Return the sink for these options, which the settings have verified; nothing is connected yet."""
    return EmailSink(options, limits or MailLimits())


def _recipient(address: str) -> Mailbox:
    try:
        return parse_address(address.strip())
    except ValueError as error:
        raise PermanentDeliveryError(str(error)) from error
