"""The mail's headers and body."""

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from domain.examples import cases
from mastodon_update_check.domain.addresses import Mailbox, parse_address, parse_mailbox
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.email import write_mail
from sinks.examples import ID, MESSAGE, recipient

AUTHOR = parse_mailbox("Mastodon <notifications@social.example>")


def data(message: Message, author: Mailbox = AUTHOR) -> bytes:
    """Return the mail's bytes."""
    return write_mail(message, parse_address(message.recipient.address), author, None)


def read(message: Message) -> EmailMessage:
    """Return the mail as its reader sees it, which must find nothing wrong with it."""
    mail = email.message_from_bytes(data(message), policy=email.policy.default)
    assert [defect for part in mail.walk() for defect in part.defects] == []
    return mail


@pytest.mark.parametrize("urgent", [False, True])
def test_headers(*, urgent: bool) -> None:
    """All headers, and no other; urgent mails carry the three that Mastodon's critical ones do."""
    mail = read(replace(MESSAGE, urgent=urgent, dated_at=MESSAGE.created_at + timedelta(days=9)))

    urgent_headers = {"Importance": "high", "Priority": "urgent", "X-Priority": "1"} if urgent else {}
    assert dict(mail.items()) == urgent_headers | {
        "Date": "Wed, 02 Dec 2026 12:00:00 +0000",  # of the first attempt that may have arrived
        "From": "Mastodon <notifications@social.example>",
        "To": "admin@social.example",
        "Subject": "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
        "Message-ID": f"<{ID}@social.example>",
        "In-Reply-To": "<feedfacefeedface.thread@social.example>",
        "References": "<feedfacefeedface.thread@social.example>",
        "List-Id": "<updates.mastodon-update-check.social.example>",
        "X-Update-Check-ID": ID,
        "X-Update-Check-Event": "update.available",
        "Auto-Submitted": "auto-generated",
        "Precedence": "list",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": 'multipart/alternative; boundary="=_alternative"',
    }


def test_body() -> None:
    """Plain text comes first, then HTML, both complete, with any characters."""
    text = "grüße 日本語\n.dot\n" + "x" * 2000 + "\nFrom me\n"
    mail = read(replace(MESSAGE, text=text, html=f"<p>{text}</p>\n"))

    plain, html = mail.iter_parts()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert plain.get_payload(decode=True).decode().replace("\r\n", "\n") == text  # type: ignore[union-attr]
    assert html.get_payload(decode=True).decode().replace("\r\n", "\n") == f"<p>{text}</p>\n"  # type: ignore[union-attr]


def test_unencodable_text() -> None:
    """A lone surrogate and NUL, should they come so far, do not stop the mail."""
    assert b"a?b=00c\r\n" in data(replace(MESSAGE, text="a\ud800b\0c\n"))


@pytest.mark.parametrize("text", ["short", "x" * 3000 + "\n.\n", "\n" * 50, "=_ --=_" + ID, "a\rb\r\nc\n"])
def test_bytes(text: str) -> None:
    """The same message gives the same bytes; CRLF everywhere, ASCII, no long line."""
    message = replace(MESSAGE, text=text, html=text)

    first = data(message)
    assert first == data(message)
    assert first.isascii()
    assert [line for line in first.split(b"\r\n") if b"\r" in line or b"\n" in line or len(line) > 78] == []


@cases(
    "subject expected",
    ("no header can be added", "two\r\nBcc: evil@x.example", "two Bcc: evil@x.example"),
    ("control characters and NUL", "a\0b\x0bc\x0cd\x85e\u2028f", "a b c d e f"),
    ("not ASCII, and folded", "[söcial.example] 日本語 " + "lang " * 20, None),
    ("ASCII", "word " * 30, None),
    ("one long word is left whole", "w" * 150, None),
    ("cut", "w" * 500, "w" * 199 + "…"),
)
def test_subject(subject: str, expected: str | None) -> None:
    """A subject is one line with any characters, and arrives unchanged."""
    mail = read(replace(MESSAGE, subject=subject))

    assert (subject.strip() if expected is None else expected) == mail["Subject"]
    assert "Bcc" not in mail


@pytest.mark.parametrize(
    "name",
    ["Mastodon", "Söcial", "A, B", 'say "hi"', "back\\slash", "ü" * 60, "a (comment)", "very " * 20 + "long", "a.name"],
)
def test_author(name: str) -> None:
    """The author's name arrives as it was, with the address beside it."""
    author = replace(parse_address("a@" + "x" * 60 + ".example"), name=name)
    mail = email.message_from_bytes(data(MESSAGE, author))
    shown, address = parseaddr(mail["From"])

    assert (str(make_header(decode_header(shown))), address) == (name, "a@" + "x" * 60 + ".example")


@pytest.mark.parametrize(
    ("instance", "domain"),
    [
        ("social.example", "social.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("x" * 60 + "." + "y" * 60 + ".example", "x" * 60 + "." + "y" * 60 + ".example"),
    ],
)
def test_ids(instance: str, domain: str) -> None:
    """Ids end in the instance's domain; whole, however long, since encoded words have no place in them."""
    mail = data(replace(MESSAGE, instance=instance)).decode()

    assert f"\r\nMessage-ID: <{ID}@{domain}>\r\n" in mail
    assert f"\r\nReferences: <feedfacefeedface.thread@{domain}>\r\n" in mail
    assert f"\r\nList-Id: <updates.mastodon-update-check.{domain}>\r\n" in mail


def test_thread() -> None:
    """A thread's name is made fit for an id; without one there are no thread headers."""
    assert read(replace(MESSAGE, thread="update:4.5.20 >x"))["References"] == "<update-4.5.20-x.thread@social.example>"
    assert "References" not in read(replace(MESSAGE, thread=""))


def test_long_recipient() -> None:
    """A long address is not folded, nor encoded."""
    address = "a" * 64 + "@" + "x" * 60 + "." + "y" * 60 + ".example"

    assert f"\r\nTo: {address}\r\n" in data(replace(MESSAGE, recipient=recipient(address))).decode()
