# ruff: noqa: N802  # aiosmtpd finds its hooks by names such as handle_RCPT
"""A real mail server on loopback (aiosmtpd).

::

    with SmtpServer(tls=context, users={"mastodon": "secret"}) as server:
        ...
    assert [mail.recipient for mail in server.mails] == ["admin@social.example"]
"""

import asyncio
import email
import email.policy
import hmac
import socket
import ssl
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any, Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMail:
    """One mail that was accepted."""

    sender: str
    recipient: str
    data: bytes
    """As it came, dots restored."""
    options: tuple[str, ...]
    """Parameters of MAIL."""
    encrypted: bool
    login: str
    """The login; empty without one."""
    connection: int
    """From 1, in the order in which connections were greeted."""

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.data, policy=email.policy.default)


class _Handler:
    """The hooks of aiosmtpd."""

    def __init__(self, server: "SmtpServer") -> None:
        self._server = server

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        del server, envelope
        session.host_name = hostname
        self._server.greeted.append(hostname)
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self._server.replies.get("MAIL", "250 2.1.0 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        reply = self._server.refused.get(address) or self._server.replies.get("RCPT", "250 2.1.5 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del server
        await asyncio.sleep(self._server.pause)
        reply = self._server.replies.get("END", "250 2.0.0 OK: queued as 1")
        if reply.startswith("250"):
            self._server.mails.extend(self._received(session, envelope))
        return reply

    def _received(self, session: Session, envelope: Envelope) -> Iterator[ReceivedMail]:
        peers = self._server.peers
        if session.peer not in peers:
            peers.append(session.peer)
        for recipient in envelope.rcpt_tos:
            yield ReceivedMail(
                sender=str(envelope.mail_from),
                recipient=recipient,
                data=envelope.original_content or b"",
                options=tuple(envelope.mail_options),
                encrypted=session.ssl is not None or self._server.implicit,
                login=str(cast("object", session.auth_data) or ""),
                connection=peers.index(session.peer) + 1,
            )


class _Protocol(SMTP):
    """aiosmtpd with CRAM-MD5 (RFC 2195), which it lacks."""

    async def auth_CRAM__MD5(self, server: SMTP, args: list[str]) -> AuthResult:
        del server, args
        challenge = b"<1896.697170952@localhost>"
        answer = await self.challenge_auth(challenge)
        if not isinstance(answer, bytes):
            return AuthResult(success=False)
        login, _, digest = answer.decode().rpartition(" ")
        password = self.event_handler._server.users.get(login, "")
        expected = hmac.new(password.encode(), challenge, "md5").hexdigest()
        return AuthResult(success=digest == expected, auth_data=login, handled=False)


class _Controller(Controller):
    """Makes our protocol, in a thread of its own, for the connections of a socket that listens already."""

    listener: socket.socket

    def factory(self) -> SMTP:
        return _Protocol(self.handler, **self.SMTP_kwargs)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self.listener, ssl=self.ssl_context)


class SmtpServer:
    """A real mail server, which listens while its context lasts.

    Args:
        tls: offer STARTTLS with this context, or with `implicit` speak TLS from the start.
        users: offer AUTH; passwords by login.
        size: most bytes of a mail (SIZE, RFC 1870).
        smtputf8: offer SMTPUTF8.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        users: Mapping[str, str] | None = None,
        size: int = 1 << 20,
        smtputf8: bool = False,
    ) -> None:
        self.mails: list[ReceivedMail] = []
        self.greeted: list[str] = []
        """The names given with EHLO."""
        self.peers: list[Any] = []
        """The far ends of connections that brought mail."""
        self.refused: dict[str, str] = {}
        """Replies to RCPT by address."""
        self.replies: dict[str, str] = {}
        """Replies to MAIL, RCPT and END (the final dot)."""
        self.pause = 0.0
        """Seconds before the reply to the final dot."""
        self.users = dict(users or {})
        self.implicit = implicit
        self._controller = _Controller(
            _Handler(self),
            hostname="127.0.0.1",
            ready_timeout=60,
            ssl_context=tls if implicit else None,
            tls_context=None if implicit else tls,
            enable_SMTPUTF8=smtputf8,
            data_size_limit=size,
            authenticator=self._authenticate if users else None,
            auth_require_tls=False,
            auth_required=bool(users),
        )
        self._controller.listener = socket.create_server(("127.0.0.1", 0))
        self._controller.port = self._controller.listener.getsockname()[1]

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()
        self._controller.listener.close()

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: LoginPassword) -> AuthResult:
        login = data.login.decode()
        success = self.users.get(login) == data.password.decode()
        return AuthResult(success=success, auth_data=login, handled=False)
