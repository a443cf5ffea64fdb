"""Mail: one message as one mail to one recipient, over SMTP.

Options are Mastodon's `SMTP_…` variables (MASTODON.md, section 9.1) in lower case and without their prefix.
"""

from collections.abc import Mapping

from mastodon_update_check.errors import PermanentDeliveryError, SettingsError
from mastodon_update_check.http.net import Deadline
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.addresses import Mailbox, ascii_domain, parse_address, parse_mailbox
from mastodon_update_check.sinks.mailserver import Bounds, MailServer, StartTls
from mastodon_update_check.sinks.mime import ContentHeader
from mastodon_update_check.sinks.session import Session


class EmailSink:
    """Hands mails over to one server; the connection is kept between them until `close`."""

    def __init__(self, server: MailServer, letterhead: ContentHeader, sender: Mailbox, bounds: Bounds) -> None:
        self._server = server
        self._letterhead = letterhead
        self._sender = sender
        self._bounds = bounds
        self._session: Session | None = None

    def send(self, message: Message) -> str:
        """Hand `message` over; return the server's reply to it.

        Raises:
            TransientDeliveryError: sink-wide for what is the server's or the settings' fault; `replies` has the rules.
            PermanentDeliveryError: the address cannot be written to, or the server refuses this mail for good.
        """
        mail = self._letterhead.write(message)
        with Deadline(self._bounds.total) as deadline:
            try:
                return self._begin(mail.recipient, deadline).deliver(mail, message.confirm_claim)
            finally:
                if self._session is not None and not self._session.is_usable:
                    self.close()

    def rehearse(self, address: str) -> str:
        """Go through the dialogue for a mail to `address` as far as RCPT, and send nothing; return how it went.

        Raises what `send` raises.
        """
        try:
            recipient = parse_address(address.strip())
        except ValueError as error:
            raise PermanentDeliveryError(str(error)) from error
        with Deadline(self._bounds.total) as deadline:
            session = Session(self._server, self._bounds, deadline)
            session.open()
            try:
                session.rehearse(recipient, self._sender.address)
                how = (
                    "encrypted" if session.is_encrypted else "unencrypted",
                    "logged in" if self._server.login else "",
                )
            finally:
                session.close()
        return f"{self._server.place} takes mail for {recipient.address} ({', '.join(filter(None, how))})"

    def close(self) -> None:
        """Take leave of the server; the next `send` connects anew."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _begin(self, recipient: Mailbox, deadline: Deadline) -> Session:
        """Return a connection on which the server waits to hear the recipient."""
        if self._session is not None and self._session.resume(recipient, self._sender.address, deadline):
            return self._session
        self.close()
        session = Session(self._server, self._bounds, deadline)
        session.open()
        self._session = session
        session.begin(recipient, self._sender.address)
        return session


def create(options: Mapping[str, str], bounds: Bounds | None = None) -> EmailSink:
    """Return the sink for these options; nothing is connected yet.

    Raises:
        SettingsError: an address or a host name that cannot be used.
    """
    author = _mailbox(options, "from_address") or Mailbox(local="notifications", domain="localhost")
    return EmailSink(
        _server(options),
        ContentHeader(author=author, reply_to=_mailbox(options, "reply_to")),
        _mailbox(options, "return_path") or author,
        bounds or Bounds(),
    )


def _server(options: Mapping[str, str]) -> MailServer:
    method = options.get("auth_method") or "plain"
    return MailServer(
        host=_host(options, "server"),
        port=int(options.get("port") or 25),
        ehlo=_host(options, "domain"),
        login="" if method == "none" else options.get("login", ""),
        password=options.get("password", ""),
        auth_method=method,
        ca_file=options.get("ca_file", ""),
        verify=options.get("openssl_verify_mode") != "none",
        starttls=StartTls(options.get("starttls") or StartTls.AUTO),
        implicit_tls=options.get("tls") == "true",
    )


def _host(options: Mapping[str, str], name: str) -> str:
    """Return a host name as A-labels; an IPv6 address has no labels and stays as it is."""
    text = options.get(name) or "localhost"
    try:
        return text if ":" in text else ascii_domain(text.removesuffix("."))
    except ValueError as error:
        raise SettingsError([f"SMTP_{name.upper()}: {error}"]) from error


def _mailbox(options: Mapping[str, str], name: str) -> Mailbox | None:
    if not options.get(name):
        return None
    try:
        mailbox = parse_mailbox(options[name])
    except ValueError as error:
        raise SettingsError([f"SMTP_{name.upper()}: {error}"]) from error
    if mailbox.needs_smtputf8:
        raise SettingsError([f"SMTP_{name.upper()}: before the @ only ASCII works with every mail server"])
    return mailbox
