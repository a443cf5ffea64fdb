"""The ledger's rows by recipient: the same key, or the same address at one sink, makes the same person.

A key is the same person under every sink: a webhook that gets another name is not notified again.
"""

from collections.abc import Callable, Iterable

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.recipients import Recipient

_Place = tuple[str, str, str]


class History:
    """Rows that are found by recipient and topic."""

    def __init__(self, rows: Iterable[Delivery], topic: Callable[[Delivery], str]) -> None:
        """Index `rows`; `topic` returns the topic of a row."""
        self._topic = topic
        self._rows: dict[_Place, list[Delivery]] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Delivery) -> None:
        """Add one row."""
        for place in _places(row.sink, row.recipient_key, row.address, self._topic(row)):
            self._rows.setdefault(place, []).append(row)

    def find(self, recipient: Recipient, topic: str = "") -> list[Delivery]:
        """Return the rows of this recipient: by key first, then by address."""
        places = _places(recipient.sink, recipient.key, recipient.address, topic)
        return [row for place in places for row in self._rows.get(place, ())]


def _places(sink: str, key: str, address: str, topic: str) -> tuple[_Place, ...]:
    by_key = ("", key, topic)
    return (by_key, (sink, normalise_address(address), topic)) if address else (by_key,)
