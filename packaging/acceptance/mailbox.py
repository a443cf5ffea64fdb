"""The mailbox in which all mail for social.example ends, after Postfix has taken and delivered it."""

import email.policy
from email.message import EmailMessage
from email.parser import BytesParser

from acceptance.machine import Machine, wait_until

AVAILABLE, INSTALLED = "update.available", "update.installed"
"""Kinds of mails, by their `X-Update-Check-Event`."""
MAILDIR = "var/mail/everybody/new"


class Mailbox:
    """All that was delivered, in one machine."""

    def __init__(self, machine: Machine) -> None:
        self._folder = machine.root / MAILDIR

    @property
    def mails(self) -> list[EmailMessage]:
        """The delivered mails, in no order."""
        parser = BytesParser(EmailMessage, policy=email.policy.default)
        return [parser.parsebytes(file.read_bytes()) for file in self._folder.glob("*")]

    def recipients(self, version: str, event: str = AVAILABLE) -> list[str]:
        """Return the recipients of mails of this kind about a release, sorted, each as often as a mail arrived."""
        return sorted(
            str(mail["X-Original-To"])
            for mail in self.mails
            if version in str(mail["Subject"]) and event == mail["X-Update-Check-Event"]
        )

    def wait_for(self, recipients: list[str], version: str, event: str = AVAILABLE) -> None:
        """Wait until exactly these recipients have been notified."""
        wait_until(lambda: len(self.recipients(version, event)) >= len(recipients), f"{event} to {recipients}")
        assert sorted(recipients) == self.recipients(version, event), self.recipients(version, event)
