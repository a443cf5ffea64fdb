"""A mail server as the settings name it, and the way there: TCP, and TLS with the certificate checked."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.http.net import CONNECT_SECONDS, Deadline
from mastodon_update_check.http.tls import tls_context
from mastodon_update_check.sinks.failures import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a mail server may take, and how much it is asked for."""

    connect: float = CONNECT_SECONDS
    """Seconds for the connection; also for the polite parts, RSET before the next mail and QUIT."""
    reply: float = 60.0
    """Seconds without a word in reply to a command, or during the TLS handshake."""
    accept: float = 600.0
    """Seconds without a word after the final dot (RFC 5321, 4.5.3.2.6)."""
    total: timedelta = timedelta(minutes=15)
    """All of one mail, connecting included."""
    mails: int = 100
    """Mails over one connection."""


class StartTls(StrEnum):
    """`SMTP_ENABLE_STARTTLS`."""

    ALWAYS = "always"
    AUTO = "auto"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed over, and how we introduce ourselves."""

    host: str
    port: int
    ehlo: str
    login: str = ""
    """Empty: no log-in."""
    password: str = field(default="", repr=False)
    auth_method: str = "plain"
    """`plain`, `login` or `cram_md5`."""
    ca_file: str = ""
    """PEM file with the only authorities to trust; empty: those of the system."""
    verify: bool = True
    starttls: StartTls = StartTls.AUTO
    implicit_tls: bool = False

    @property
    def place(self) -> str:
        """Host and port, for sentences."""
        return f"{self.host}:{self.port}"


def dial(server: MailServer, bounds: Bounds, deadline: Deadline) -> socket.socket:
    """Connect; the caller closes.

    Raises:
        TransientDeliveryError: sink-wide; says what is in the way.
    """
    try:
        sock = socket.create_connection((server.host, server.port), bounds.connect)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no resolver can be asked for
        raise TransientDeliveryError(f"no connection to {server.place}: {explain(error)}", sink_wide=True) from error
    sock.settimeout(bounds.reply)
    deadline.guard(sock)
    return sock


def encrypt(server: MailServer, sock: socket.socket) -> ssl.SSLSocket:
    """Speak TLS from here on, with the server whose name was asked for.

    Raises:
        TransientDeliveryError: sink-wide; says what is wrong with the certificate, and what to do.
    """
    context = _context(server)
    try:
        return context.wrap_socket(sock, server_hostname=server.host.rstrip("."))
    except (OSError, ValueError) as error:  # ValueError: a name that no certificate can have
        sentence = f"no TLS with {server.place}: {explain(error)}{_advice(error)}"
        raise TransientDeliveryError(sentence, sink_wide=True) from error


def is_loopback(address: str) -> bool:
    """Whether what is sent to this IP address never leaves the machine."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def _context(server: MailServer) -> ssl.SSLContext:
    if not server.verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if not server.ca_file:
        return tls_context()
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except OSError as error:
        sentence = f"SMTP_CA_FILE cannot be used for {server.place}: {explain(error)}"
        raise TransientDeliveryError(sentence, sink_wide=True) from error


def _advice(error: BaseException) -> str:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return ""
    return " (SMTP_CA_FILE names whom to trust; SMTP_OPENSSL_VERIFY_MODE=none, fit for localhost, trusts anybody)"
