"""What an SMTP server's refusal means: whose fault it is, and whether it may pass (RFC 5321, 3463, 4954, 5248, 7504).

Before RCPT nothing is known of the recipient, so every refusal is the sink's fault: transient, sink-wide. So is 421
anywhere. From RCPT on, 4yz is transient for this message; for 5yz the first rule holds that fits:

1. The sink's fault, transient and sink-wide, where every other mail would hear the same: 521 (the host takes no mail),
   530, 534, 535, 538 (log in, or encrypt, first); 5.1.7, 5.1.8 (our sender's address); 5.3.1, 5.3.2, 5.3.3, 5.3.5 (the
   mail system is full, closed, unable, misconfigured); 5.7.3, 5.7.4, 5.7.8 to 5.7.11, 5.7.13, 5.7.14 (authentication,
   encryption, our account); 5.7.20 to 5.7.27 (DKIM, SPF, reverse DNS, null MX of our sender).
2. Permanent where it speaks of the mailbox or the message: 5.1.z, 5.2.z, 5.4.z (no way to that domain), 5.6.z; 5.3.4
   (too big), 5.7.2 (a mailing list), 5.7.17, 5.7.18 (the mailbox or the domain has a new owner).
3. Undecidable, so transient but for this message alone: any other 5.5.z or 5.7.z. Postfix judges client, HELO and
   sender at RCPT too, and says 5.7.1 for "relay access denied", for a blocked client and for one unloved recipient, and
   5.5.2 for a HELO and for a recipient's address alike. Tried on, it heals when the server is put right; and it is not
   sink-wide, since one address must not hold up the others.
4. Without an enhanced code that says anything (none, 5.0.z, 5.3.0), by the basic one: 55z but 555 speaks of the mail
   and is permanent; the rest (syntax, sequence, unknown) is treated as in 3.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

CLOSING = 421
_SINK_CODES = frozenset({521, 530, 534, 535, 538})
_PARAMETERS_UNKNOWN = 555
_SINK_STATUSES = frozenset(
    {(1, 7), (1, 8), (3, 1), (3, 2), (3, 3), (3, 5), (7, 3), (7, 4)}
    | {(7, detail) for detail in (8, 9, 10, 11, 13, 14)}
    | {(7, detail) for detail in range(20, 28)}
)
_MAIL_STATUSES = frozenset({(3, 4), (7, 2), (7, 17), (7, 18)})
_MAIL_SUBJECTS = frozenset({1, 2, 4, 6})
_UNDECIDED_SUBJECTS = frozenset({5, 7})
_STATUS = re.compile(r"(?P<class>[245])\.(?P<subject>[0-9]{1,3})\.(?P<detail>[0-9]{1,3})(?![0-9.])")


class Step(StrEnum):
    """What the server was answering, in the words of a sentence."""

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
        """Whether a refusal here may be about this recipient or this message."""
        return self in {Step.RCPT, Step.DATA, Step.END}


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; `code` is -1 for what is not SMTP."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip() if self.code > 0 else repr(self.text)

    @property
    def kind(self) -> int:
        """The first digit."""
        return self.code // 100

    @property
    def status(self) -> tuple[int, int] | None:
        """Subject and detail of the enhanced status code; None without one, or with one that contradicts the code."""
        match = _STATUS.match(self.text)
        if match is None or int(match["class"]) != self.kind:
            return None
        return int(match["subject"]), int(match["detail"])


def judge(step: Step, reply: Reply, sentence: str) -> DeliveryError:
    """Return the error for a refusal at `step`, with `sentence` as its text; the rules stand at the top."""
    if reply.code == CLOSING or not step.is_about_the_mail:
        return TransientDeliveryError(sentence, sink_wide=True)
    if reply.kind != 5:  # noqa: PLR2004  # 4yz; or nonsense, which may pass as well
        return TransientDeliveryError(sentence)
    if reply.code in _SINK_CODES or reply.status in _SINK_STATUSES:
        return TransientDeliveryError(sentence, sink_wide=True)
    return PermanentDeliveryError(sentence) if _speaks_of_the_mail(reply) else TransientDeliveryError(sentence)


def _speaks_of_the_mail(reply: Reply) -> bool:
    subject = reply.status[0] if reply.status else 0
    if reply.status in _MAIL_STATUSES or subject in _MAIL_SUBJECTS:
        return True
    return subject not in _UNDECIDED_SUBJECTS and reply.code // 10 == 55 and reply.code != _PARAMETERS_UNKNOWN  # noqa: PLR2004
