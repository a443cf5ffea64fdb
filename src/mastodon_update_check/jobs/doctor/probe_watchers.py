"""Monitoring: the heartbeat's service is reached and not pinged; the directories of metrics and page are writable."""

import os
from collections.abc import Iterable
from pathlib import Path

from mastodon_update_check.config import Settings
from mastodon_update_check.errors import CheckError
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok
from mastodon_update_check.jobs.observe import proxies


def probe_watchers(settings: Settings) -> Iterable[Finding]:
    """Try each one that is configured."""
    if settings.heartbeat_url is not None:
        yield _probe_heartbeat(settings, settings.heartbeat_url.get_secret_value())
    if settings.metrics_file is not None:
        yield _probe_directory("metrics", settings.metrics_file.parent, "UPDATE_CHECK_METRICS_FILE")
    if settings.page_file is not None:
        yield _probe_directory("status page", settings.page_file.parent, "UPDATE_CHECK_PAGE_FILE")


def _probe_heartbeat(settings: Settings, url: str) -> Finding:
    from mastodon_update_check.http.reach import reach

    try:
        return ok("heartbeat", f"{reach(url, proxies(settings))}; it was not pinged")
    except CheckError as failure:
        return error("heartbeat", f"{failure}: look at UPDATE_CHECK_HEARTBEAT_URL, and whether its service is up")


def _probe_directory(subject: str, directory: Path, variable: str) -> Finding:
    if not directory.is_dir():
        return error(subject, f"there is no directory {directory}: create it, or change {variable}")
    if not os.access(directory, os.W_OK | os.X_OK):
        return error(subject, f"{directory} cannot be written: let the service write there, as docs/INSTALL.md shows")
    return ok(subject, f"{directory} can be written")
