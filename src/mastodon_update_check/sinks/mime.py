"""The mail itself: a message as the bytes that go over the wire, the same on every attempt.

Headers are written here rather than by `email.message`: its folding puts long message ids and addresses into encoded
words, where no reader looks for them. So is the frame of the body, for which that takes ten times as long; its lines
are `binascii`'s: quoted-printable, at most 76 characters.
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from email.header import Header
from email.utils import format_datetime

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import PermanentDeliveryError
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.addresses import Mailbox, ascii_domain, parse_address

_LINE_CHARACTERS = 76  # of a quoted-printable line (RFC 2045, 6.7) and of a line with an encoded word (RFC 2047, 2)
_FOLD = "\r\n"
_LINE_END = re.compile(r"\r\n|\r|\n")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_QUOTED = re.compile(r"[^A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]")
_AUTOMATIC = {  # as Mastodon's own mails, so that filters treat both alike (RFC 3834 for the first)
    "Auto-Submitted": "auto-generated",
    "Precedence": "list",
    "X-Auto-Response-Suppress": "All",
}
_URGENT = {"Importance": "high", "Priority": "urgent", "X-Priority": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one recipient, ready for SMTP."""

    recipient: Mailbox
    data: bytes
    """Header and body with CRLF line ends; dots are not doubled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentHeader:
    """What all mails of one sink have in common."""

    author: Mailbox
    reply_to: Mailbox | None = None

    def write(self, message: Message) -> Mail:
        """Return `message` as a mail.

        Raises:
            PermanentDeliveryError: the recipient has no address that can be written to.
        """
        try:
            recipient = parse_address(message.recipient.address.strip())
        except ValueError as error:
            raise PermanentDeliveryError(str(error)) from error
        head = "".join(f"{name}: {value}\r\n" for name, value in self._headers(message, recipient).items())
        return Mail(recipient=recipient, data=head.encode() + _body(message))

    def _headers(self, message: Message, recipient: Mailbox) -> dict[str, str]:
        domain = _id_domain(message.instance)
        thread = f"<{_NOT_IN_IDS.sub('-', message.thread)}.thread@{domain}>"
        return {
            "Date": format_datetime(message.created_at),
            "From": _written("From", self.author),
            **({"Reply-To": _written("Reply-To", self.reply_to)} if self.reply_to else {}),
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


def _body(message: Message) -> bytes:
    """Return both forms as multipart/alternative, beginning with the headers that say so."""
    # Derived from the id, so that every attempt has the same bytes; `=_` cannot occur in quoted-printable text.
    boundary = f"=_{_NOT_IN_IDS.sub('-', message.id)}"
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;{_FOLD} boundary="{boundary}"\r\n\r\n'
    parts = "".join(
        f"--{boundary}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{_quoted_printable(text)}\r\n"
        for kind, text in (("plain", message.text), ("html", message.html))
    )
    return f"{head}{parts}--{boundary}--\r\n".encode()


def _quoted_printable(text: str) -> str:
    """Return `text` in ASCII with CRLF line ends; what cannot be encoded, and NUL, is replaced."""
    lines = _LINE_END.sub("\r\n", text.replace("\0", " ")) + "\r\n"  # the first line end is the model for all
    return b2a_qp(lines.encode("utf-8", "replace")).decode().removesuffix("\r\n")


def _id_domain(instance: str) -> str:
    """Return the server's domain as part of an id; one that is no host name (`localhost:3000`) is made to look so."""
    try:
        return ascii_domain(instance)
    except ValueError:
        return re.sub(r"[^A-Za-z0-9]+", "-", instance).strip("-") or "localhost"


def _written(header: str, mailbox: Mailbox) -> str:
    if not mailbox.name:
        return mailbox.address
    name = mailbox.name
    if name.isascii() and _QUOTED.search(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    encoded = _encoded(header, name)
    fits = len(f"{header}: {encoded} <{mailbox.address}>") <= _LINE_CHARACTERS
    return f"{encoded}{'' if fits else _FOLD} <{mailbox.address}>"


def _encoded(header: str, text: str) -> str:
    """Return text as a header carries it: ASCII as it is, other in encoded words, one a line (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", _LINE_CHARACTERS, header).encode(linesep=_FOLD)
