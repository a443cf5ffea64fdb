"""A mail server as the settings name it, and the way to it: TCP, and TLS with its certificate checked."""

import ipaddress
import socket
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import TransientDeliveryError
from mastodon_update_check.files.foreign import describe, read_foreign
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within
from mastodon_update_check.logs import log

_CA_FILE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLimits:
    """How long a mail server may take, and how much it is asked for."""

    connect: float = 5.0
    """Seconds to connect to one address; also for the answers to RSET and QUIT."""
    opening: timedelta = timedelta(seconds=30)
    """A connection up to the first mail: name resolution, all addresses, greeting, TLS, login."""
    reply: float = 60.0
    """Seconds without a word in reply to a command."""
    accept: float = 600.0
    """Seconds without a word after the final dot (RFC 5321, 4.5.3.2.6)."""
    total: timedelta = timedelta(minutes=15)
    """One mail, from MAIL on."""
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
    """Empty: no login."""
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

    @property
    def needs_extensions(self) -> bool:
        """Whether mail may only be sent with TLS or after a login, which both take EHLO."""
        return self.implicit_tls or self.starttls is StartTls.ALWAYS or bool(self.login)


def dial(server: MailServer, limits: MailLimits) -> socket.socket:
    """Connect, name resolution and all addresses within `limits.opening`; the caller closes.

    Raises:
        TransientDeliveryError: sink-wide; says what is in the way.
    """

    def connect(guard: SocketGuard) -> socket.socket:
        sock = socket.create_connection((server.host, server.port), limits.connect)
        guard.guard(sock)
        return sock

    try:
        return run_within(limits.opening, connect)
    except TimeLimitError as error:
        raise TransientDeliveryError(f"the connection to {server.place} {error}", sink_wide=True) from error
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no resolver can be asked for
        raise TransientDeliveryError(str(explain(error, server.place)), sink_wide=True) from error


def mail_tls_context(server: MailServer) -> ssl.SSLContext:
    """Return the context for this server; authorities are read afresh for each connection."""
    if server.verify:
        return _context_with(server.ca_file) or ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _context_with(ca_file: str) -> ssl.SSLContext | None:
    """Return the context with the authorities of SMTP_CA_FILE; None, with a warning, if it cannot be used.

    The path may come from Mastodon's file, whose owner must not be able to make this program wait or read without end.
    """
    if not ca_file:
        return None
    try:
        pem = read_foreign(Path(ca_file), _CA_FILE_BYTES)
        return ssl.create_default_context(cadata=pem.encode("ascii", "ignore").decode())
    except ssl.SSLError:
        why = "it holds no usable certificate"
    except (OSError, ValueError) as error:
        why = describe(error)
    log.warning("ca_file.ignored", variable="SMTP_CA_FILE", file=clean(ca_file), detail=why)
    return None


def is_loopback(address: str) -> bool:
    """Whether data sent to this IP address never leaves the machine."""
    ip = ipaddress.ip_address(address)
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback
