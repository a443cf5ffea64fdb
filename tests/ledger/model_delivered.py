"""The rows that recipients have received, as the model counts them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mastodon_update_check.domain.identities import identity, is_covered_by
from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.recipients import Recipient


@dataclass(slots=True)
class Delivered:
    """One row that a recipient has received."""

    key: str
    address: str
    """Its address; empty when its recipient has moved before that was recorded, so that no address identifies it."""
    notice: Notice
    message_id: str
    is_recorded: bool = False
    """Whether the ledger knows."""
    is_used_up: bool = False
    """Whether its message's id has been accepted since without it: it can only come again under another one."""

    @property
    def identity(self) -> str:
        return identity(self.notice)

    def is_for(self, recipient: Recipient) -> bool:
        """Whether this was the same person: by key, or by address."""
        return self.key == recipient.key or (self.address != "" and self.address == recipient.address)


class Inbox(list[Delivered]):
    """All that the recipients have received, in order."""

    def find(self, name: str, is_meant: Callable[[Delivered], bool]) -> list[Delivered]:
        """Return the deliveries of one row to one person."""
        return [one for one in self if one.identity == name and is_meant(one)]

    def follows(self, notice: ReminderNotice | InstalledNotice, is_meant: Callable[[Delivered], bool]) -> bool:
        """Whether a person was notified of the subject of a reminder or `is installed` notice."""
        about = [one for one in self if isinstance(one.notice, UpdateNotice) and is_meant(one)]
        return any(is_covered_by(notice.update, one.notice) for one in about)

    def forget_addresses(self, addresses: Mapping[str, str]) -> None:
        """The ledger knows one address of each row, and that of one which is in doubt may have moved on."""
        for one in self:
            if not one.is_recorded and addresses.get(one.key, one.address) != one.address:
                one.address = ""


def person_of(recipient: Recipient) -> Callable[[Delivered], bool]:
    """Return the identity of the person who got a delivery."""
    return lambda one: one.is_for(recipient)
