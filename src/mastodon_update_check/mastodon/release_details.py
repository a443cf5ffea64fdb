"""Fetch the files of releases from their source, once each, and reduce them to facts.

Nothing here fails a check: a file that cannot be fetched now is fetched by a later check.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import quote

from mastodon_update_check.domain.release_tree import CHANGELOG, FILES, UNUSABLE, TreeFacts, extract
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Request, StatusError

TOTAL = timedelta(seconds=30)
"""For all files of all releases in one check."""
CHANGELOG_BYTES = 2 * 1024 * 1024
_MASTODON = "/mastodon/mastodon/"
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})


def name_tag(template: str, version: MastodonVersion) -> str:
    """Return what replaces `{version}`: for Mastodon's own repository without what a fork has appended."""
    return version.name if _MASTODON in template else version.asked


def fetch_releases(
    template: str,
    versions: Sequence[MastodonVersion],
    known: Mapping[str, TreeFacts],
    proxies: Proxies,
    total: timedelta = TOTAL,
) -> tuple[Mapping[str, TreeFacts], str]:
    """Fetch the files that are not known yet, release by release, the most important one first.

    Returns the facts of `versions` by version (`MastodonVersion.stored`), and a problem or nothing.
    """
    found = {version.stored: dict(known.get(version.stored, {})) for version in versions}
    ends_at = time.monotonic() + total.total_seconds()
    problem = ""
    for version in versions:
        root = template.replace("{version}", quote(name_tag(template, version), safe="")).rstrip("/") + "/"
        try:
            _fetch_release(root, found[version.stored], proxies, ends_at)
        except StatusError as error:  # as for a tag that does not exist; other releases may
            problem = problem or error.detail
        except CheckError as error:
            problem = error.detail
            break
    return found, problem


def _fetch_release(root: str, facts: dict[str, object], proxies: Proxies, ends_at: float) -> None:
    """Add the missing facts of one release; raise `CheckError` if a file cannot be fetched now."""
    from mastodon_update_check.http.client import get_document

    for path in FILES:
        if path in facts:
            continue
        left = timedelta(seconds=ends_at - time.monotonic())
        if left <= timedelta(0):
            raise CheckError(Cause.CONNECTION, "the source of release details is too slow: the next check goes on")
        size = CHANGELOG_BYTES if path == CHANGELOG else DOCUMENT.body_bytes
        limits = replace(DOCUMENT, total=left, body_bytes=size)
        try:
            facts[path] = extract(path, get_document(Request(url=root + path), proxies, limits).body)
        except StatusError as error:
            # The changelog is fetched first. While it is missing the tag may be, so that its absence is not a fact.
            if error.status not in _MISSING or path == CHANGELOG:
                raise
            facts[path] = None
        except CheckError as error:
            if error.cause is not Cause.CONTENT:
                raise
            facts[path] = UNUSABLE
