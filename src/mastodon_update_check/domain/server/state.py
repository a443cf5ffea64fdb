"""The state of one server between checks: the last good answers, and since when something has been failing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Self

from mastodon_update_check.domain.feeds import MAXIMUM_ENTRIES, Feed, newer_updates
from mastodon_update_check.domain.notices import SupportNotice, UpdateNotice
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.release_details import ReleaseDetails, compare
from mastodon_update_check.domain.release_tree import TreeFacts
from mastodon_update_check.domain.server.problems import CheckDay, Unfinished, count_check, may_be_notified
from mastodon_update_check.domain.stored_json import NAME, from_json, to_json
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError

NEW_IN_ONE_ANSWER, NEW_IN_A_DAY = 20, 60
MOST_SEEN = 2_000

StaleHours = tuple[tuple[datetime, float], ...]
"""The start of an hour, and a number of seconds in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """One decision to skip a release; it holds until the release turns urgent that was not."""

    version: MastodonVersion
    urgent: bool
    skipped_at: datetime
    until_at: datetime | None = field(default=None, metadata={NAME: "until"})
    """None: no notices, reminders or alarms any more. Else: no reminders and no alarms until then."""

    def covers(self, update: UpdateNotice) -> bool:
        """Return whether `update` is that release, or an older one of its branch, and not more urgent than it was."""
        same_branch = update.version.branch == self.version.branch
        return same_branch and update.version <= self.version and (self.urgent or not update.urgent)

    def holds(self, now: datetime) -> bool:
        """Return whether it has not expired."""
        return self.until_at is None or now < self.until_at


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """The state of one instance; what messages are composed from and what `status` shows."""

    checked_at: datetime | None = None
    good_at: datetime | None = None
    failing_since: datetime | None = None
    """When the first failed check after a good one ended; None while checks work."""
    failures: int = 0
    cause: str = ""
    detail: str = ""
    warnings: tuple[str, ...] = ()
    """Problems of the last check, though it counts as good."""
    installed: MastodonVersion | None = None
    tree: MastodonVersion | None = None
    """The version in the tree when the running server last answered, or since."""
    running: MastodonVersion | None = None
    """The last answer of the running server; stands until the tree changes."""
    differs_since: datetime | None = None
    """Since when tree and running server have been differing; None when they were the same in the last check."""
    stale: MastodonVersion | None = None
    """The other version that the running server, or one of its processes, reported under the tree of now."""
    stale_hours: StaleHours = ()
    agreements: int = 0
    """Checks in a row in which tree and running server were the same."""
    alternates: bool = False
    """Whether they differed after they had been the same, under one tree: several processes answer."""
    seen_versions: tuple[tuple[datetime, str], ...] = ()
    """When each release that is newer than the installed one was first listed, and its name."""
    updates: tuple[UpdateNotice, ...] = ()
    release_facts: Mapping[str, TreeFacts] = field(default_factory=dict)
    """The facts of the trees of the installed release and of pending ones, by version."""
    postgresql: str = ""
    support_ends_on: date | None = None
    devops: tuple[Recipient, ...] = ()
    """The DevOps users of the last good answer of the database; they are notified while it cannot be asked."""
    skips: tuple[Skip, ...] = ()
    migrations: Unfinished | None = None
    services: Unfinished | None = None
    """The migrations and restarts of services that the last upgrade left to do."""
    settings_wrong_since: datetime | None = None
    """Since when the daemon has been using its old settings because the new ones are wrong."""
    days: tuple[CheckDay, ...] = ()
    outage_started_at: datetime | None = None
    outage_ended_at: datetime | None = None
    """When the last outage that is over began, of those that may have been notified, and when checks worked again."""

    def support_at(self, now: datetime) -> SupportNotice | None:
        """Return the known support notice that is true at `now`."""
        return SupportNotice.at(now, self.installed, self.support_ends_on)

    def pending(self) -> tuple[UpdateNotice, ...]:
        """Return the known updates that are newer than the installed version, oldest first."""
        return newer_updates(Feed(updates=self.updates), self.installed) if self.installed else ()

    def details_of(self, version: MastodonVersion) -> ReleaseDetails | None:
        """Return what is known of the upgrade from the installed version to `version`."""
        return next((one for one in self.details if (one.version, one.installed) == (version, self.installed)), None)

    def compare(self, version: MastodonVersion, before: MastodonVersion) -> ReleaseDetails | None:
        """Return what is known of the upgrade from `before` to `version`; None without their trees."""
        offered, own = (self.release_facts.get(one.stored) for one in (version, before))
        if offered is None or own is None:
            return None
        return compare(offered, version, own, before, self.postgresql)

    @cached_property
    def details(self) -> tuple[ReleaseDetails, ...]:
        """The upgrades to pending releases, as the facts of their trees show them; not stored."""
        found = (self.compare(one.version, self.installed) for one in self.pending() if self.installed)
        return tuple(one for one in found if one is not None)

    def is_skipped(self, update: UpdateNotice) -> bool:
        """Return whether the administrator skips this update: there are no notices of it."""
        return any(skip.until_at is None and skip.covers(update) for skip in self.skips)

    def is_silenced(self, update: UpdateNotice, now: datetime) -> bool:
        """Return whether there are no reminders and no alarms of this update at `now`."""
        return any(skip.holds(now) and skip.covers(update) for skip in self.skips)

    def unskipped(self) -> tuple[UpdateNotice, ...]:
        """Return the pending updates that the administrator does not skip."""
        return tuple(update for update in self.pending() if not self.is_skipped(update))

    def lifted(self) -> tuple[Skip, ...]:
        """Return the skips that hold no longer because their release has turned urgent."""
        urgent = {update.version for update in self.updates if update.urgent}
        return tuple(skip for skip in self.skips if not skip.urgent and skip.version in urgent)

    def running_on(self, installed: MastodonVersion) -> Self:
        """Return what is known when `installed` is what runs; the end of support is known for one branch only."""
        same = self.installed is None or self.installed.branch == installed.branch
        return replace(self, installed=installed, support_ends_on=self.support_ends_on if same else None)

    def answered(self, installed: MastodonVersion, feed: Feed | None) -> Self:
        """Return what is known when the update server has answered; without a feed the last answers stand."""
        known = self.running_on(installed)
        if feed is not None:
            listed = newer_updates(feed, installed)
            versions = {update.version for update in listed}
            # An answer that could not be read whole takes nothing away.
            kept = () if feed.is_complete else (update for update in self.updates if update.version not in versions)
            known = replace(known, updates=(*listed, *kept)[:MAXIMUM_ENTRIES])
            known = replace(known, support_ends_on=feed.ends_on or known.support_ends_on)
        return known

    def refuse_flood(self, feed: Feed, installed: MastodonVersion, now: datetime) -> None:
        """Raise `CheckError` for more than 20 newer releases that were never listed before, or 60 within a day."""
        new = self._new_releases(feed, installed)
        today = sum(abs(now - at) < timedelta(days=1) for at, _ in self.seen_versions)
        if len(new) > NEW_IN_ONE_ANSWER or (new and len(new) + today > NEW_IN_A_DAY):
            raise CheckError(
                Cause.CONTENT,
                f"the update server lists {len(new)} releases that it never listed before, and {today} within a day "
                f"before them: expected at most {NEW_IN_ONE_ANSWER} at once and {NEW_IN_A_DAY} a day; check "
                "UPDATE_CHECK_URL",
            )

    def _new_releases(self, feed: Feed, installed: MastodonVersion) -> list[str]:
        known = {name for _, name in self.seen_versions} | {update.version.name for update in self.updates}
        return [update.version.name for update in newer_updates(feed, installed) if update.version.name not in known]

    def succeeded(self, now: datetime, version: MastodonVersion, feed: Feed | None, warnings: tuple[str, ...]) -> Self:
        """Return what is known after a good check, with `version` installed."""
        known = self.answered(version, feed)
        if feed is not None:
            kept = ((at, name) for at, name in self.seen_versions if MastodonVersion.parse(name) > version)
            new = ((now, name) for name in self._new_releases(feed, version))
            known = replace(known, seen_versions=(*kept, *new)[-MOST_SEEN:])
        # One that was too short for a notice leaves the end of the one before to be notified.
        if known.failing_since is not None and may_be_notified(now - known.failing_since, known.failures):
            known = replace(known, outage_started_at=known.failing_since, outage_ended_at=now)
        return replace(
            known,
            checked_at=now,
            good_at=now,
            failing_since=None,
            failures=0,
            cause="",
            detail="",
            warnings=warnings,
            skips=tuple(skip for skip in self.skips if skip.holds(now)),
            days=count_check(self.days, now, has_failed=False),
        )

    def failed(self, now: datetime, cause: str, detail: str, installed: MastodonVersion | None) -> Self:
        """Return what is known after a failed check: the last good answers stand."""
        since = min(self.failing_since or now, now)  # a later one was written by a wrong clock
        if self.good_at is not None and since < self.good_at <= now:
            since = now  # and so was one before the last good check: a machine that began in 1970 knows the time now
        return replace(
            self if installed is None else self.running_on(installed),
            checked_at=now,
            failing_since=since,
            failures=self.failures + 1,
            cause=cause,
            detail=detail,
            warnings=(),
            days=count_check(self.days, now, has_failed=True),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the form in which the ledger keeps it."""
        stored = to_json(self)
        return {name: value for name, value in stored.items() if value not in (None, "", [], {}, 0)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ServerState":
        """Read back what `to_json` wrote; names of other versions of this program are passed over."""
        known: ServerState = from_json(cls, data)
        return known
