"""One connection to a mail server: greeted, encrypted, logged in, and then one mail after the other.

A password never crosses a network in the clear unless the settings insist.
"""

import hmac
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.http.net import Deadline
from mastodon_update_check.sinks.addresses import Mailbox
from mastodon_update_check.sinks.mailserver import Bounds, MailServer, StartTls, dial, encrypt, is_loopback
from mastodon_update_check.sinks.mime import Mail
from mastodon_update_check.sinks.replies import Step
from mastodon_update_check.sinks.smtp import Dialogue


class Session:
    """A connection that mails are handed over by.

    Methods raise `TransientDeliveryError` or `PermanentDeliveryError` by the rules of `replies`, with a sentence that
    names host, port and step.
    """

    def __init__(self, server: MailServer, bounds: Bounds, deadline: Deadline) -> None:
        self._server = server
        self._bounds = bounds
        self._dialogue = Dialogue(server, bounds, deadline)
        self._encrypted = False
        self._taken = 0
        self._is_clear = True
        """Whether nothing is left of the mail before: its acceptance ends it (RFC 5321, 4.1.1.4)."""

    def open(self) -> None:
        """Connect, and get ready for the first mail."""
        try:
            self._prepare()
        except BaseException:
            self._dialogue.close()
            raise

    @property
    def is_encrypted(self) -> bool:
        """Whether TLS is in force."""
        return self._encrypted

    @property
    def is_usable(self) -> bool:
        """Whether another mail may be handed over, after `resume`."""
        return self._dialogue.in_step and self._taken < self._bounds.mails

    def resume(self, recipient: Mailbox, sender: str, deadline: Deadline) -> bool:
        """Begin the next mail; False when that takes a new connection, whatever the reason.

        A server may end an idle connection, or one that has brought enough: it has not heard of the recipient yet.
        """
        try:
            if not self._is_clear:
                self._courtesy("RSET")
            self._dialogue.deadline = deadline
            deadline.guard(self._dialogue.sock)
            self._dialogue.sock.settimeout(self._bounds.reply)
            self.begin(recipient, sender)
        except TransientDeliveryError:
            self._dialogue.close()
            deadline.let_go()
            return False
        return True

    def begin(self, recipient: Mailbox, sender: str) -> None:
        """Announce a mail to `recipient`, who is not named yet."""
        self._taken += 1
        self._is_clear = False
        self._dialogue.command(Step.MAIL, f"MAIL FROM:<{sender}>{self._parameter(recipient)}")

    def deliver(self, mail: Mail, confirm_claim: Callable[[], None]) -> str:
        """Hand the announced mail over; return what the server said. `confirm_claim` is asked just before the body."""
        dialogue = self._dialogue
        self._name(mail.recipient)
        dialogue.command(Step.DATA, "DATA", 3)
        dialogue.in_step = False  # an error from here on ends the connection without the final dot: nothing is sent
        confirm_claim()
        reply = dialogue.hand_over(mail.data)
        self._is_clear = True
        return str(reply)

    def rehearse(self, recipient: Mailbox, sender: str) -> None:
        """Announce a mail, and take it back: nothing is sent."""
        self.begin(recipient, sender)
        self._name(recipient)
        self._courtesy("RSET")

    def close(self) -> None:
        """End the connection: politely if nothing went wrong, and in any case soon."""
        try:
            if self._dialogue.in_step:
                self._courtesy("QUIT")
        except DeliveryError:  # the mails are accepted by now: how the server takes its leave changes nothing
            return
        finally:
            self._dialogue.close()

    def _name(self, recipient: Mailbox) -> None:
        self._dialogue.command(Step.RCPT, f"RCPT TO:<{recipient.address}>")

    def _courtesy(self, line: str) -> None:
        """Say what deserves a quick answer; a failure matters to nobody but the caller."""
        with Deadline(timedelta(seconds=self._bounds.connect)) as deadline:
            deadline.guard(self._dialogue.sock)
            self._dialogue.sock.settimeout(self._bounds.connect)
            self._dialogue.command(Step.MAIL, line)

    def _prepare(self) -> None:
        server, dialogue = self._server, self._dialogue
        dialogue.use(dial(server, self._bounds, dialogue.deadline))
        if server.implicit_tls:
            self._encrypt()
        dialogue.greet()
        dialogue.introduce()
        if self._wants_starttls():
            dialogue.command(Step.STARTTLS, "STARTTLS")
            self._encrypt()
            dialogue.introduce()  # what was said before TLS counts for nothing (RFC 3207, 4.2)
        if server.login:
            self._authenticate()

    def _encrypt(self) -> None:
        self._dialogue.use(encrypt(self._server, self._dialogue.sock))
        self._encrypted = True

    def _wants_starttls(self) -> bool:
        server = self._server
        if server.implicit_tls or server.starttls is StartTls.NEVER:
            return False
        offered = self._dialogue.offers("starttls")
        if server.starttls is StartTls.ALWAYS and not offered:
            raise _failed(f"{server.place} does not offer STARTTLS, which SMTP_ENABLE_STARTTLS=always requires")
        return offered

    def _authenticate(self) -> None:
        server, dialogue = self._server, self._dialogue
        insists = server.starttls is StartTls.NEVER
        # Our own end tells as much as the other one, and can be asked for even when the connection is gone.
        if not may_log_in(dialogue.sock.getsockname()[0], is_encrypted=self._encrypted, insists=insists):
            raise _failed(
                f"{server.place} offers no STARTTLS, and the password is not sent in the clear; "
                "if it must be, SMTP_ENABLE_STARTTLS=never insists"
            )
        match server.auth_method:
            case "login":
                dialogue.command(Step.AUTH, "AUTH LOGIN", 3)
                dialogue.command(Step.AUTH, dialogue.secret(server.login), 3)
                dialogue.command(Step.AUTH, dialogue.secret(server.password))
            case "cram_md5":
                challenge = dialogue.command(Step.AUTH, "AUTH CRAM-MD5", 3).text
                dialogue.command(Step.AUTH, dialogue.secret(f"{server.login} {self._answer(challenge)}"))
            case _:
                token = dialogue.secret(f"\0{server.login}\0{server.password}")
                dialogue.command(Step.AUTH, f"AUTH PLAIN {token}")

    def _answer(self, challenge: str) -> str:
        """Return the digest that CRAM-MD5 wants (RFC 2195)."""
        try:
            return hmac.new(self._server.password.encode(), b64decode(challenge, validate=True), "md5").hexdigest()
        except ValueError as error:
            raise _failed(f"{self._server.place} sent a challenge for CRAM-MD5 that cannot be answered") from error

    def _parameter(self, recipient: Mailbox) -> str:
        """Return what MAIL must say of a non-ASCII address (RFC 6531, 3.4)."""
        if not recipient.needs_smtputf8:
            return ""
        if not self._dialogue.offers("smtputf8"):
            place = self._server.place
            raise PermanentDeliveryError(
                f"{recipient.address} takes a mail server with SMTPUTF8, and {place} does not offer it"
            )
        return " SMTPUTF8"


def _failed(sentence: str) -> TransientDeliveryError:
    return TransientDeliveryError(sentence, sink_wide=True)


def may_log_in(address: str, *, is_encrypted: bool, insists: bool) -> bool:
    """Whether the password may be sent: encrypted, to this very machine, or because an administrator insists.

    Args:
        address: this end of the connection.
        is_encrypted: whether TLS is in force.
        insists: whether encryption was switched off on purpose.
    """
    return is_encrypted or insists or is_loopback(address)
