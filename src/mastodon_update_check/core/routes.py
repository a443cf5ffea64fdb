"""The upgrade route: which releases to deploy, in which order.

Mastodon's rules (docs, admin/upgrading): patches may be skipped, at least one release of every minor series must be
deployed; the own branch's newest patch comes first, since it holds that branch's security fixes.
"""

from collections.abc import Sequence

from mastodon_update_check.core.notices import UpdateNotice
from mastodon_update_check.core.versions import MastodonVersion

KNOWN_SERIES = ((3, 4), (3, 5), (4, 0), (4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (4, 6), (4, 7))
"""Minor series that exist after 3.3; those that the update server lists are known besides."""


def find_route(installed: MastodonVersion, updates: Sequence[UpdateNotice]) -> tuple[str, ...]:
    """Return the releases on the way from `installed` to the newest listed one.

    A series that must be passed but is not listed is given as `4.6.x`: its newest patch.
    """
    newest: dict[tuple[int, int], MastodonVersion] = {}
    for update in updates:
        key = update.version.branch_key
        newest[key] = max(newest.get(key, update.version), update.version)
    if not newest:
        return ()
    start, end = installed.branch_key, max(newest)
    between = {series for series in (*KNOWN_SERIES, *newest) if start < series <= end}
    stations = sorted(between | ({start} & newest.keys()))
    return tuple(str(newest[series]) if series in newest else f"{series[0]}.{series[1]}.x" for series in stations)
