"""The mailbox in which all mail for social.example ends, after Postfix has taken and delivered it."""

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

from acceptance.machine import Machine, wait_until

MAILDIR = "var/mail/everybody/new"


class Mailbox:
    """All that was delivered, in one machine."""

    def __init__(self, machine: Machine) -> None:
        self._folder = machine.root / MAILDIR

    @property
    def mails(self) -> list[EmailMessage]:
        """What is there, in no order."""
        parser = BytesParser(EmailMessage, policy=email.policy.default)
        return [parser.parsebytes(file.read_bytes()) for file in self._folder.glob("*")]

    def recipients(self, subject: str = "") -> list[str]:
        """Return to whom mails with this in their subject were delivered, sorted, as often as they were."""
        return sorted(str(mail["X-Original-To"]) for mail in self.mails if subject in str(mail["Subject"]))

    def wait_for(self, recipients: list[str], subject: str) -> None:
        """Wait until exactly these have been told."""
        wait_until(lambda: len(self.recipients(subject)) >= len(recipients), f"mail with {subject!r} to {recipients}")
        assert sorted(recipients) == self.recipients(subject), self.recipients(subject)

    def empty(self) -> None:
        """Throw everything away."""
        for file in self._folder.glob("*"):
            file.unlink()
