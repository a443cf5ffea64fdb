"""The mail: a message as the bytes of RFC 5322 and MIME, the same on every attempt."""

import re
from binascii import b2a_qp
from email.header import Header
from email.utils import format_datetime, formataddr

from mastodon_update_check.domain.addresses import Mailbox
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import ascii_domain
from mastodon_update_check.messages.message import Message

_BOUNDARY = "=_alternative"  # `=_` cannot occur in quoted-printable text
_WORD_CHARACTERS = 76  # of a line with an encoded word (RFC 2047, 2)
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+")
_AUTOMATIC = {  # as in Mastodon's own mails, so that filters treat both alike (RFC 3834 for the first)
    "Auto-Submitted": "auto-generated",
    "Precedence": "list",
    "X-Auto-Response-Suppress": "All",
}
_URGENT = {"Importance": "high", "Priority": "urgent", "X-Priority": "1"}


def write_mail(message: Message, recipient: Mailbox, author: Mailbox, reply_to: Mailbox | None = None) -> bytes:
    """Return `message` as a mail to `recipient`, with CRLF at the end of every line.

    The library's `email` would break long message ids, which some servers do not put together again. Only the
    recipient's address can be other than ASCII, for SMTPUTF8 (RFC 6531).
    """
    headers = (f"{name}: {value}\r\n" for name, value in _headers(message, recipient, author, reply_to).items())
    parts = (_part("plain", message.text), _part("html", message.html))
    return "".join((*headers, *parts, f"\r\n--{_BOUNDARY}--\r\n")).encode()


def _part(kind: str, text: str) -> str:
    return (
        f"\r\n--{_BOUNDARY}\r\n"
        f'Content-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        f"{_quoted_printable(text)}"
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


def _quoted_printable(text: str) -> str:
    """Return `text` in ASCII, in lines of at most 76 characters; a lone surrogate becomes a question mark."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return b2a_qp(lines.encode(errors="replace")).decode().replace("\n", "\r\n")


def _written(header: str, mailbox: Mailbox) -> str:
    if mailbox.name.isascii():
        return formataddr((mailbox.name, mailbox.address))
    return f"{_encoded(header, mailbox.name)}\r\n <{mailbox.address}>"


def _encoded(header: str, text: str) -> str:
    """Return `text` as a header carries it: ASCII as it is, the rest in encoded words, one a line (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", _WORD_CHARACTERS, header).encode(linesep="\r\n")
