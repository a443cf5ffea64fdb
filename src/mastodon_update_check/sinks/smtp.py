"""One connection to a mail server: `smtplib`, with bounds in bytes and time, and every refusal judged by `smtp_server`.

A password never crosses a network unencrypted unless SMTP_ENABLE_STARTTLS=never asks for it. No sentence shows a
secret, even when the server repeats it. Where the two sides may disagree about what a reply answers, the connection is
closed; `is_open` says whether it can be used again.
"""

import hmac
import re
import smtplib
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from mastodon_update_check.domain.addresses import Mailbox
from mastodon_update_check.domain.urls import is_loopback_host
from mastodon_update_check.errors import PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.secrets import REDACTED, shown
from mastodon_update_check.sinks import smtp_server
from mastodon_update_check.sinks.smtp_server import MailLimits, ReplyReader, SmtpOptions, SmtpStep, judge

_ADVICE = " (SMTP_CA_FILE names the authorities to trust; SMTP_OPENSSL_VERIFY_MODE=none, fit for localhost, trusts any)"
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{8,}")
_REFUSALS = {4, 5}


class MailConnection(smtplib.SMTP):
    """A connection on which mails are handed over, one after the other.

    Methods raise `TransientDeliveryError` or `PermanentDeliveryError` by the table in `smtp_server`, with a
    sentence that names host, port and step.
    """

    def __init__(self, options: SmtpOptions, limits: MailLimits) -> None:
        super().__init__(local_hostname=options.domain)
        self.command_encoding = "utf-8"  # ASCII, unless SMTPUTF8 has been agreed
        self.is_encrypted = False
        self._mails = 0
        self._options = options
        self._limits = limits
        self._patience = limits.reply
        self._tokens = [_base64(text) for text in (options.password, f"\0{options.login}\0{options.password}") if text]

    @property
    def is_open(self) -> bool:
        """Whether another mail may be announced."""
        return self.sock is not None and self._mails < self._limits.mails

    def open(self) -> None:
        """Connect, encrypt and log in, within `limits.opening` in all."""
        options = self._options
        self._allow(self._limits.opening)
        self.sock = smtp_server.dial(options, self._limits)
        if options.tls == "true":
            self._encrypt(self.sock)
        self._exchange(SmtpStep.CONNECT, self.getreply)
        self._exchange(SmtpStep.EHLO, self._introduce)
        if options.tls != "true" and options.starttls != "never":
            self._start_tls(self.sock)
        if options.logs_in:
            # Our own end is as telling as the other one, and can be asked for even when the connection is gone.
            self._authenticate(is_private=self.is_encrypted or is_loopback_host(self.sock.getsockname()[0]))

    def announce(self, recipient: Mailbox, sender: str) -> None:
        """Begin a mail to `recipient`, who is not named yet; from here `limits.total` counts."""
        self._allow(self._limits.total)
        self._mails += 1
        if recipient.needs_smtputf8 and not self.has_extn("smtputf8"):
            need = f"{recipient.address} needs a mail server with SMTPUTF8"
            raise PermanentDeliveryError(f"{need}, and {self._options.place} does not offer it")
        self._command(SmtpStep.MAIL, f"MAIL FROM:<{sender}>{' SMTPUTF8' if recipient.needs_smtputf8 else ''}")

    def name(self, recipient: Mailbox) -> None:
        """Name the recipient of the announced mail."""
        self._command(SmtpStep.RCPT, f"RCPT TO:<{recipient.address}>")

    def hand_over(self, mail: bytes) -> str:
        """Send the announced mail; return the server's reply."""

        def send() -> tuple[int, bytes]:
            self.send((b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")  # RFC 5321, 4.5.2
            self._patience = self._limits.accept
            return self.getreply()

        self._command(SmtpStep.DATA, "DATA", 3)
        try:
            return self._shown(*self._exchange(SmtpStep.END, send))
        finally:
            self._patience = self._limits.reply

    def courtesy(self, line: str) -> None:
        """Send RSET or QUIT, and wait for the reply no longer than for a connection; without one, close."""
        self._allow(timedelta(seconds=self._limits.connect))
        with suppress(TransientDeliveryError):  # the mails before are accepted, or refused, whatever happens here
            self._command(SmtpStep.MAIL, line)

    def leave(self) -> None:
        """End the connection, with QUIT if it is still open."""
        self.courtesy("QUIT")
        self.close()

    def send(self, s: "str | bytes") -> None:  # type: ignore[override]  # `smtplib` sends nothing else
        """Send within the time that is left (called by `smtplib`)."""
        if self.sock is not None:
            self.sock.settimeout(self._time_left())
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply within the bounds (called by `smtplib`)."""
        if self.file is None and self.sock is not None:
            self.file = ReplyReader(self.sock, self._time_left)
        return super().getreply()

    def _allow(self, limit: timedelta) -> None:
        self._limit, self._ends_at = limit, time.monotonic() + limit.total_seconds()

    def _time_left(self) -> float:
        """Return the seconds for the server's next bytes; raise TimeoutError if there are none."""
        left = min(self._patience, self._ends_at - time.monotonic())
        if left <= 0:
            raise TimeoutError
        return left

    def _command(self, step: SmtpStep, line: str, kind: int = 2) -> bytes:
        return self._exchange(step, lambda: self.docmd(line), kind)[1]

    def _exchange(self, step: SmtpStep, exchange: Callable[[], tuple[int, bytes]], kind: int = 2) -> tuple[int, bytes]:
        """Return the reply if the first digit of its code is `kind`."""
        try:
            code, text = exchange()
        except OSError as error:  # smtplib's errors too; none of them leaves a usable connection
            why = "it took too long" if isinstance(error.__context__, TimeoutError) else "the connection was lost"
            if time.monotonic() >= self._ends_at:
                why = f"it took longer than {self._limit.total_seconds():g} s in all"
            raise self._lost(step, why) from error
        if self.file is not None and self.file.is_ahead and step is not SmtpStep.END:
            raise self._lost(step, "it answered more than it was asked")
        if code // 100 == kind:
            return code, text
        said = self._shown(code, text)
        if step is SmtpStep.END and code // 100 not in _REFUSALS:
            raise self._lost(step, f"it answered {said}")
        refusal = judge(step, code, text.decode(errors="replace"), f"{self._options.place} answered {step} with {said}")
        if refusal.sink_wide or code // 100 not in _REFUSALS:
            self.close()
        raise refusal

    def _lost(self, step: SmtpStep, why: str) -> TransientDeliveryError:
        self.close()
        place = self._options.place
        if step is SmtpStep.END:
            sentence = f"{place} may have accepted the mail or not, the outcome is unknown: {why}"
            return TransientDeliveryError(sentence, may_have_arrived=True)
        return TransientDeliveryError(f"{place} did not answer {step}: {why}", sink_wide=not step.is_about_the_mail)

    def _introduce(self) -> tuple[int, bytes]:
        """Say EHLO; or HELO where the server does not know EHLO, and neither TLS nor login is wanted."""
        options = self._options
        needs_ehlo = options.tls == "true" or options.starttls == "always" or options.logs_in
        code, text = self.ehlo()
        return self.helo() if code in {500, 502} and not needs_ehlo else (code, text)

    def _start_tls(self, sock: socket.socket) -> None:
        if self.has_extn("starttls"):
            self._command(SmtpStep.STARTTLS, "STARTTLS")
            self._encrypt(sock)
            self._exchange(SmtpStep.EHLO, self.ehlo)  # earlier answers do not count (RFC 3207, 4.2)
        elif self._options.starttls == "always":
            raise self._failed(f"{self._options.place} offers no STARTTLS, which SMTP_ENABLE_STARTTLS=always requires")

    def _encrypt(self, sock: socket.socket) -> None:
        options = self._options
        try:
            sock.settimeout(self._time_left())
            self.sock = smtp_server.mail_tls_context(options).wrap_socket(sock, server_hostname=options.server)
        except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
            advice = _ADVICE if isinstance(error, ssl.SSLCertVerificationError) else ""
            raise self._failed(f"{explain(error, options.place)}{advice}") from error
        self.file, self.is_encrypted = None, True

    def _authenticate(self, *, is_private: bool) -> None:
        """Log in, by our own means: `smtplib` can send only ASCII passwords."""
        options = self._options
        if not (is_private or options.starttls == "never"):
            why = f"{options.place} offers no STARTTLS, and the password is not sent unencrypted"
            raise self._failed(f"{why}; SMTP_ENABLE_STARTTLS=never sends it all the same")
        match options.auth_method:
            case "login":
                self._command(SmtpStep.AUTH, "AUTH LOGIN", 3)
                self._command(SmtpStep.AUTH, _base64(options.login), 3)
                self._command(SmtpStep.AUTH, _base64(options.password))
            case "cram_md5":
                challenge = self._command(SmtpStep.AUTH, "AUTH CRAM-MD5", 3)
                try:
                    digest = hmac.new(options.password.encode(), b64decode(challenge, validate=True), "md5")
                except ValueError as error:
                    raise self._failed(f"{options.place} sent a challenge for CRAM-MD5 that is not base64") from error
                self._tokens.append(_base64(f"{options.login} {digest.hexdigest()}"))
                self._command(SmtpStep.AUTH, self._tokens[-1])
            case _:
                self._command(SmtpStep.AUTH, f"AUTH PLAIN {self._tokens[-1]}")

    def _failed(self, sentence: str) -> TransientDeliveryError:
        self.close()
        return TransientDeliveryError(sentence, sink_wide=True)

    def _shown(self, code: int, said: bytes) -> str:
        """Return a reply for a sentence: on one line and without secrets, even those that came in part."""
        text = shown(said.decode(errors="replace"), [self._options.password, *self._tokens])
        text = _BASE64.sub(lambda word: REDACTED if any(word[0] in each for each in self._tokens) else word[0], text)
        return f"{code} {text}".strip() if code > 0 else repr(text)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
