"""The mailbox in which all mail for social.example ends, after Postfix has taken and delivered it."""

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

from acceptance.machine import Machine, wait_until

TOLD, INSTALLED = "update.available", "update.installed"
"""What a mail is, by its `X-Update-Check-Event`."""
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

    def recipients(self, version: str, event: str = TOLD) -> list[str]:
        """Return to whom mails of this kind about a release were delivered, sorted, as often as they were."""
        return sorted(
            str(mail["X-Original-To"])
            for mail in self.mails
            if version in str(mail["Subject"]) and event == mail["X-Update-Check-Event"]
        )

    def wait_for(self, recipients: list[str], version: str, event: str = TOLD) -> None:
        """Wait until exactly these have been told."""
        wait_until(lambda: len(self.recipients(version, event)) >= len(recipients), f"{event} to {recipients}")
        assert sorted(recipients) == self.recipients(version, event), self.recipients(version, event)
