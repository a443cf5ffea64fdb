"""The facts that a check has gathered when it plans."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.feeds import Feed, newer_updates
from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import Notice, SupportNotice, ToolNotice, UpdateNotice
from mastodon_update_check.domain.outbox import Delivery
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.server.installed import is_settled
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
    """All recipients; no key twice for one sink."""
    sinks: Collection[str]
    unasked_sinks: frozenset[str] = frozenset()
    """Sinks whose recipients could not be read this time: none of them counts as gone."""
    tool_notices: tuple[ToolNotice, ...] = ()
    reminders: FollowUps = FollowUps.NONE
    closure: FollowUps = FollowUps.NONE

    @cached_property
    def is_settled(self) -> bool:
        """Return whether no process answers with an older version than the tree's."""
        return is_settled(self.known, self.now)

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
    def silent_sinks(self) -> frozenset[str]:
        """Sinks whose recipients cannot count as gone: they could not be read, or there are none at all."""
        answered = {recipient.sink for recipient in self.recipients}
        return self.unasked_sinks | {sink for sink in self.sinks if sink not in answered}

    @cached_property
    def notices(self) -> tuple[Notice, ...]:
        """Every notice that is true now."""
        support = () if self.support is None else (self.support,)
        return (*self.updates, *support, *self.tool_notices)

    @cached_property
    def update_to(self) -> Mapping[MastodonVersion, UpdateNotice]:
        """The updates by version."""
        return {update.version: update for update in self.updates}

    @cached_property
    def notice_of(self) -> Mapping[str, Notice]:
        """The notices by identity."""
        return {identity(notice): notice for notice in self.notices}

    def find_recipient(self, row: Delivery) -> Recipient | None:
        """Return the recipient that a row belongs to, if there still is one: by key, else by address."""
        address = normalise_address(row.address)
        return self._by_key.get((row.sink, row.recipient_key)) or self._by_address.get((row.sink, address))

    def is_elsewhere(self, row: Delivery) -> bool:
        """Return whether a row waits for a sink that is not configured here, but may be again."""
        return row.sink not in self.sinks and row.recipient_key not in self._keys

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(recipient.key for recipient in self.recipients)

    @cached_property
    def _by_key(self) -> dict[tuple[str, str], Recipient]:
        return {(recipient.sink, recipient.key): recipient for recipient in reversed(self.recipients)}

    @cached_property
    def _by_address(self) -> dict[tuple[str, str], Recipient]:
        return {
            (recipient.sink, normalise_address(recipient.address)): recipient
            for recipient in reversed(self.recipients)
            if recipient.address
        }
