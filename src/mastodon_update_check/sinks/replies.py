"""The meaning of an SMTP server's refusal: whose fault it is, and whether it may pass (RFC 5321, 3463, 5248, 7504).

Before RCPT nothing is known of the recipient, so every refusal is the sink's fault. From RCPT on `TABLE` decides.
"""

import re
from enum import StrEnum
from typing import Final

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError


class Step(StrEnum):
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
        return self in {Step.RCPT, Step.DATA, Step.END}


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


def judge(step: Step, code: int, text: str, sentence: str) -> DeliveryError:
    """Return the error for the refusal `code` `text` at `step`, with `sentence` as its own text."""
    meaning = Meaning.SINK
    if step.is_about_the_mail:
        meaning = next(meaning for row, meaning in _ROWS if row.match(f"{code} {text}"))
    if meaning is Meaning.NEVER:
        return PermanentDeliveryError(sentence)
    return TransientDeliveryError(sentence, sink_wide=meaning is Meaning.SINK)
