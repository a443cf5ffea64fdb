"""The mail: a message as the bytes of RFC 5322 and MIME, the same on every attempt."""

import re
from binascii import b2a_qp
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import Compat32
from email.utils import format_datetime, formataddr

from mastodon_update_check.domain.addresses import Mailbox, ascii_domain
from mastodon_update_check.domain.text import clean
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


class _Policy(Compat32):
    """Write headers as they are: `email` would break long message ids, which some servers do not put together again."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """Return one header; only the recipient's address can be other than ASCII, for SMTPUTF8 (RFC 6531)."""
        return f"{name}: {value}{self.linesep}".encode()


_POLICY = _Policy(linesep="\r\n")


def write_mail(message: Message, recipient: Mailbox, author: Mailbox, reply_to: Mailbox | None = None) -> bytes:
    """Return `message` as a mail to `recipient`, with CRLF at the end of every line."""
    mail = MIMEMultipart("alternative", boundary=_BOUNDARY, policy=_POLICY)
    for name, value in _headers(message, recipient, author, reply_to).items():
        mail[name] = value
    for kind, text in (("plain", message.text), ("html", message.html)):
        part = MIMENonMultipart("text", kind, charset="utf-8", policy=_POLICY)
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(_quoted_printable(text))
        mail.attach(part)
    return mail.as_bytes()


def _headers(message: Message, recipient: Mailbox, author: Mailbox, reply_to: Mailbox | None) -> dict[str, str]:
    domain = _id_domain(message.instance)
    thread = f"<{_NOT_IN_IDS.sub('-', message.thread)}.thread@{domain}>"
    return {
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
    return b2a_qp(lines.encode(errors="replace")).decode()


def _id_domain(instance: str) -> str:
    """Return the server's domain as part of an id; `localhost:3000`, which is not a host name, as `localhost-3000`."""
    try:
        return ascii_domain(instance)
    except ValueError:
        return re.sub(r"[^A-Za-z0-9]+", "-", instance).strip("-") or "localhost"


def _written(header: str, mailbox: Mailbox) -> str:
    if mailbox.name.isascii():
        return formataddr((mailbox.name, mailbox.address))
    return f"{_encoded(header, mailbox.name)}\r\n <{mailbox.address}>"


def _encoded(header: str, text: str) -> str:
    """Return `text` as a header carries it: ASCII as it is, the rest in encoded words, one a line (RFC 2047)."""
    return text if text.isascii() else Header(text, "utf-8", _WORD_CHARACTERS, header).encode(linesep="\r\n")
