"""Who watches this program: the heartbeat's service is reached and not pinged, the metrics file has its directory."""

import os
from collections.abc import Iterable
from pathlib import Path

from mastodon_update_check.config import Settings
from mastodon_update_check.errors import CheckError
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok
from mastodon_update_check.jobs.observe import proxies


def probe_watchers(settings: Settings) -> Iterable[Finding]:
    """Try what is configured of the two."""
    if settings.heartbeat_url is not None:
        yield _probe_heartbeat(settings, settings.heartbeat_url.get_secret_value())
    if settings.metrics_file is not None:
        yield _probe_directory(settings.metrics_file.parent)


def _probe_heartbeat(settings: Settings, url: str) -> Finding:
    from mastodon_update_check.http.reach import reach

    try:
        return ok("heartbeat", f"{reach(url, proxies(settings))}; it was not pinged")
    except CheckError as failure:
        return error("heartbeat", f"{failure}: look at UPDATE_CHECK_HEARTBEAT_URL, and whether its service is up")


def _probe_directory(directory: Path) -> Finding:
    if not directory.is_dir():
        return error("metrics", f"there is no directory {directory}: make it, or change UPDATE_CHECK_METRICS_FILE")
    if not os.access(directory, os.W_OK | os.X_OK):
        return error("metrics", f"{directory} cannot be written: let the service write there, as docs/INSTALL.md says")
    return ok("metrics", f"{directory} can be written")
