"""The input of a plan: the facts that a check has gathered, and the ledger's rows by recipient."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.feeds import Feed, newer_updates
from mastodon_update_check.domain.notices import Notice, SupportNotice, ToolNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.server.status import urgent_to_act_on
from mastodon_update_check.domain.versions import MastodonVersion


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that a plan follows from, except the ledger's rows."""

    instance: str
    now: datetime
    known: ServerState
    installed: MastodonVersion | None
    """The installed version as read this time; None when it could not be read."""
    feed: Feed | None
    """The update server's answer; None when it was not asked or could not be understood."""
    recipients: tuple[Recipient, ...]
    sinks: Collection[str]
    unasked_sinks: frozenset[str] = frozenset()
    """Sinks whose recipients could not be read this time: none of them counts as gone."""
    tool_notices: tuple[ToolNotice, ...] = ()
    reminders: FollowUps = FollowUps.NONE
    closure: FollowUps = FollowUps.NONE

    @cached_property
    def to_act_on(self) -> frozenset[MastodonVersion]:
        """The urgent updates that call for action."""
        return frozenset(update.version for update in urgent_to_act_on(self.known, self.now))

    @cached_property
    def updates(self) -> tuple[UpdateNotice, ...]:
        """The updates that are true now, oldest first."""
        if self.feed is None or self.installed is None:
            return ()
        return newer_updates(self.feed, self.installed)

    @cached_property
    def support(self) -> SupportNotice | None:
        """The support notice that is true now."""
        return SupportNotice.at(self.now, self.installed, self.feed.ends_on if self.feed else None)

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """Every notice that is true now."""
        support = () if self.support is None else (self.support,)
        return (*self.updates, *support, *self.tool_notices)

    @cached_property
    def update_to(self) -> Mapping[MastodonVersion, UpdateNotice]:
        """The updates by version."""
        return {update.version: update for update in self.updates}

    def find_recipient(self, row: Delivery) -> Recipient | None:
        """Return the recipient that a row belongs to, if there still is one: by key, else by address."""
        found = (self._by_place.get((row.sink, one)) for one in (row.recipient_key, normalise_address(row.address)))
        return next(filter(None, found), None)

    def may_return(self, row: Delivery) -> bool:
        """Return whether a row's recipient may be back: its sink was not read this time, or is not configured now."""
        if row.sink in self.sinks:
            return row.sink in self.unasked_sinks or row.sink not in self._sinks_read
        return row.recipient_key not in self._keys

    @cached_property
    def _sinks_read(self) -> frozenset[str]:
        return frozenset(recipient.sink for recipient in self.recipients)

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(recipient.key for recipient in self.recipients)

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], Recipient]:
        """By sink, and key or address: none is spelled as the other."""
        found = reversed(self.recipients)
        return {(one.sink, name): one for one in found for name in (normalise_address(one.address), one.key) if name}


_Place = tuple[str, str, str]


class History:
    """Rows that are found by recipient and topic.

    The same key, under any sink, or the same address at one sink makes the same recipient.
    """

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
