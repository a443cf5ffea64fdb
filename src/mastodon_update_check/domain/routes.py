"""The upgrade route: which releases to deploy, in which order.

Mastodon's rules (docs, admin/upgrading): patches may be skipped, at least one release of every minor series must be
deployed; the own branch's newest patch comes first, since it holds that branch's security fixes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.versions import MastodonVersion

RELEASES_URL = "https://github.com/mastodon/mastodon/releases"
KNOWN_SERIES = (
    (3, 4),
    (3, 5),
    (4, 0),
    (4, 1),
    (4, 2),
    (4, 3),
    (4, 4),
    (4, 5),
    (4, 6),
    (4, 7),
)
"""Those that the update server lists are known too; `make series SERIES=4.8` adds one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One release to deploy on the way."""

    series: tuple[int, int]
    update: UpdateNotice | None
    """None: the series must be passed, and the update server does not list it."""
    has_urgent: bool = False
    """True if any listed release of the series is urgent; its newest holds that fix too."""

    @property
    def branch(self) -> str:
        """The series as `4.6`."""
        return "{}.{}".format(*self.series)

    @property
    def release_notes(self) -> str:
        """The place of the release notes; a listed release may come without them."""
        return (self.update.release_notes if self.update else "") or RELEASES_URL

    def __str__(self) -> str:
        return str(self.update.version) if self.update else f"{self.branch}.x"


def find_stations(installed: MastodonVersion, updates: Sequence[UpdateNotice]) -> tuple[Station, ...]:
    """Return the way from `installed` to the newest listed release, in order."""
    newest: dict[tuple[int, int], UpdateNotice] = {}
    for update in updates:
        key = update.version.branch_key
        newest[key] = max(newest.get(key, update), update, key=lambda one: one.version)
    if not newest:
        return ()
    start, end = installed.branch_key, max(newest)
    between = {series for series in (*KNOWN_SERIES, *newest) if start < series <= end}
    urgent = {update.version.branch_key for update in updates if update.urgent}
    return tuple(
        Station(series=series, update=newest.get(series), has_urgent=series in urgent)
        for series in sorted(between | ({start} & newest.keys()))
    )


def find_route(installed: MastodonVersion, updates: Sequence[UpdateNotice]) -> tuple[str, ...]:
    """Return the same way by the names of its releases; `4.6.x` is the newest patch of a series that is not listed."""
    return tuple(str(station) for station in find_stations(installed, updates))
