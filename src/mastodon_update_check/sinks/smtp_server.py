"""A mail server as the settings name it, the way to it by TCP and TLS, and its replies: read within bounds, and judged.

A refusal is the fault of the sink, the recipient or the message, and may pass or not (RFC 5321, 3463, 5248, 7504).
Before RCPT nothing is known of the recipient, so every refusal is the sink's fault. From RCPT on `TABLE` decides.
"""

import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.files import describe, read_foreign
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within
from mastodon_update_check.logs import log

REPLIES_BYTES = 1 << 20
"""Most that is read from one connection; the replies to a hundred mails take some 60 KiB."""
_CA_FILE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """How long a mail server may take, and how much it is asked for."""

    connect: float = 5.0  # seconds, for one address; also for the answers to RSET and QUIT
    opening: timedelta = timedelta(seconds=30)  # name resolution, all addresses, greeting, TLS, login
    reply: float = 60.0  # seconds without a byte of the reply to a command
    accept: float = 600.0  # seconds without a byte after the final dot (RFC 5321, 4.5.3.2.6)
    total: timedelta = timedelta(minutes=15)  # one mail, from MAIL on
    mails: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpOptions:
    """Mastodon's `SMTP_…` variables about the connection, in their own words; `tls` is implicit TLS."""

    server: str = "localhost"
    port: str = "25"
    domain: str = "localhost"
    """Our name, for EHLO."""
    login: str = ""
    password: str = field(default="", repr=False)
    auth_method: str = "plain"
    ca_file: str = ""
    openssl_verify_mode: str = "peer"
    starttls: str = "auto"
    tls: str = "false"

    @property
    def place(self) -> str:
        """Host and port, for sentences."""
        return f"{self.server}:{self.port}"

    @property
    def logs_in(self) -> bool:
        """Whether a login is wanted."""
        return bool(self.login) and self.auth_method != "none"


def dial(options: SmtpOptions, limits: MailLimits) -> socket.socket:
    """Connect within `limits.opening`, name resolution and all addresses included; an error is transient."""

    def connect(guard: SocketGuard) -> socket.socket:
        sock = socket.create_connection((options.server, options.port), limits.connect)
        guard.guard(sock)
        return sock

    try:
        return run_within(limits.opening, connect)
    except (TimeLimitError, OSError, UnicodeError) as error:  # UnicodeError: a name that no resolver can be asked for
        raise TransientDeliveryError(str(explain(error, options.place)), sink_wide=True) from error


def mail_tls_context(options: SmtpOptions) -> ssl.SSLContext:
    """Return the context for this server, with the authorities of SMTP_CA_FILE or the system, read afresh."""
    if options.openssl_verify_mode == "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if options.ca_file:
        # It may come from Mastodon's file, whose owner must not be able to make this program wait or read without end.
        try:
            pem = read_foreign(Path(options.ca_file), _CA_FILE_BYTES)
            return ssl.create_default_context(cadata=pem.encode("ascii", "ignore").decode())
        except (OSError, ValueError) as error:
            why = "it holds no usable certificate" if isinstance(error, ssl.SSLError) else describe(error)
        log.warning("ca_file.ignored", variable="SMTP_CA_FILE", file=clean(options.ca_file), detail=why)
    return ssl.create_default_context()


class ReplyReader:
    """The server's side of a connection, for `smtplib` to read lines from: bounded in bytes and in time."""

    def __init__(self, sock: socket.socket, time_left: Callable[[], float]) -> None:
        self._sock = sock
        self._time_left = time_left
        self._received = b""
        self._bytes_left = REPLIES_BYTES

    @property
    def is_ahead(self) -> bool:
        """Whether more has come than was read."""
        return self._received != b""

    def readline(self, limit: int) -> bytes:
        """Return one whole line; a connection that ends within one ends with an error: "2" is not yet "250"."""
        while b"\n" not in self._received:
            self._sock.settimeout(self._time_left())
            piece = self._sock.recv(4096)
            self._bytes_left -= len(piece)
            if not piece or self._bytes_left < 0 or len(self._received) > limit:
                raise OSError("no whole line")
            self._received += piece
        line, newline, self._received = self._received.partition(b"\n")
        return line + newline

    def close(self) -> None:
        """Do nothing: the socket belongs to the connection."""


class SmtpStep(StrEnum):
    """The command that the server answered, as a sentence names it."""

    CONNECT = "the connection"
    EHLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    END = "the mail"

    @property
    def is_about_the_mail(self) -> bool:
        """Whether a refusal here may concern this recipient or this message."""
        return self in {SmtpStep.RCPT, SmtpStep.DATA, SmtpStep.END}


class Meaning(StrEnum):
    """The consequence of a refusal."""

    SINK = "transient, for the whole sink: every other mail would be refused as well"
    LATER = "transient, for this message"
    NEVER = "permanent: the mailbox or the message is refused"


TABLE: Final = (
    ("421", "", Meaning.SINK),  # the server closes the connection
    ("[^5]", "", Meaning.LATER),  # 4yz; or a reply that is not a refusal
    ("521|53[0458]", "", Meaning.SINK),  # the host accepts no mail; log in, or encrypt, first
    ("5..", "1.(7|8)", Meaning.SINK),  # our sender's address
    ("5..", "3.(1|2|3|5)", Meaning.SINK),  # the mail system is full, closed, unable, misconfigured
    ("5..", "7.(3|4|8|9|10|11|13|14)", Meaning.SINK),  # authentication, encryption, our account
    ("5..", "7.2[0-7]", Meaning.SINK),  # DKIM, SPF, reverse DNS, null MX of our sender
    ("5..", "[1246].[0-9]+", Meaning.NEVER),  # address, mailbox, no route to the domain, content
    ("5..", "3.4", Meaning.NEVER),  # the message is too big
    ("5..", "7.(2|17|18)", Meaning.NEVER),  # a mailing list; the mailbox or the domain has a new owner
    # Postfix judges client, HELO and sender at RCPT too: 5.7.1 is "relay access denied", a blocked client and one
    # unwanted recipient alike. Retried, it succeeds once the server is fixed, and one address delays no other.
    ("5..", "[57].[0-9]+", Meaning.LATER),
    ("555", "", Meaning.LATER),  # parameters that we do not send
    ("55.", "", Meaning.NEVER),  # no enhanced code, or one that says nothing (5.0.z, 5.3.0)
    ("", "", Meaning.LATER),  # syntax, sequence, unknown codes
)
"""Code, enhanced code behind `5.`, meaning; the first row that matches decides."""

_ROWS: Final = tuple(
    (re.compile(f"({code})" + (rf" 5[.]{status.replace('.', '[.]')}(?![0-9.])" if status else "")), meaning)
    for code, status, meaning in TABLE
)


def judge(step: SmtpStep, code: int, text: str, sentence: str) -> DeliveryError:
    """Return the error for the refusal `code` `text` at `step`, with `sentence` as its own text."""
    meaning = Meaning.SINK
    if step.is_about_the_mail:
        meaning = next(meaning for row, meaning in _ROWS if row.match(f"{code} {text}"))
    if meaning is Meaning.NEVER:
        return PermanentDeliveryError(sentence)
    return TransientDeliveryError(sentence, sink_wide=meaning is Meaning.SINK)
