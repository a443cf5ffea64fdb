"""Who is told, and what each of them wants to know."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Preference(StrEnum):
    """Which updates somebody wants to hear of; Mastodon's `notification_emails.software_updates`."""

    NONE = "none"
    CRITICAL = "critical"
    PATCH = "patch"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One person or machine that one sink delivers to."""

    sink: str
    """The configured sink: `email`, `webhook`, `webhook.ops`, `log`, or that of another package."""
    key: str
    """Stable identity in the ledger: `user:42`, `address:ops@social.example`, `webhook:<SHA-256>`, `sink:log`."""
    address: str = ""
    """Mail address; empty for sinks that know for themselves where to deliver."""
    preference: Preference = Preference.ALL
    wants_support: bool = True
    """Whether support notices are wanted (`notification_emails.end_of_support`)."""
    is_operator: bool = True
    """Whether notices about this tool itself are wanted."""
    name: str = ""
    """The user's name on the server, if this is one of its users."""
    role: str = ""
    """The user's role on the server, as in `Owner`."""
    locale: str = ""
    """The user's language, as in `users.locale`."""

    def is_same_as(self, key: str, address: str) -> bool:
        """Whether a ledger row with this key and address belongs to this recipient."""
        mine = normalise_address(self.address)
        return self.key == key or (mine != "" and mine == normalise_address(address))


def normalise_address(address: str) -> str:
    """Return the form in which addresses are compared: trimmed and in lower case."""
    return address.strip().lower()


def address_key(address: str) -> str:
    """Return the recipient key of a mail address that belongs to no user of the server."""
    return f"address:{normalise_address(address)}"


def user_key(user_id: int) -> str:
    """Return the recipient key of a user, from Mastodon's `users.id`."""
    return f"user:{user_id}"


def webhook_key(url: str) -> str:
    """Return the recipient key of a webhook: never the URL itself, which may be a secret."""
    return f"webhook:{hashlib.sha256(url.encode()).hexdigest()}"


def sink_key(sink: str) -> str:
    """Return the recipient key of a sink that delivers to one place of its own."""
    return f"sink:{sink}"
