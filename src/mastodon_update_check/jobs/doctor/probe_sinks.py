"""Sinks and monitoring: webhooks and the heartbeat service are reached, and nothing is sent to them."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mastodon_update_check.config import Settings, SinkSettings
from mastodon_update_check.config.kinds import is_loopback
from mastodon_update_check.errors import CheckError, SettingsError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning
from mastodon_update_check.jobs.observe import proxies

_BUILT_IN = frozenset({"log", "webhook"})


def probe_sink(sink: SinkSettings) -> Iterable[Finding]:
    """Try one sink that needs no address; nothing is sent."""
    from mastodon_update_check.sinks.discovery import load_sink

    try:
        load_sink(sink.plugin, sink.options)
    except SettingsError as failure:
        yield from (error(sink.name, problem) for problem in failure.problems)
        return
    if sink.plugin == "webhook":
        yield from _probe_webhook(sink)
    elif sink.plugin not in _BUILT_IN:
        yield ok(sink.name, f"is installed and takes its settings; `send-test {sink.name}` tries it")


def _probe_webhook(sink: SinkSettings) -> Iterator[Finding]:
    from mastodon_update_check.http.reach import reach

    try:
        yield ok(sink.name, f"{reach(sink.options['url'], Proxies.of(sink.options))}; nothing was posted")
    except CheckError as failure:
        yield error(sink.name, f"{failure}: look at its URL, and whether the receiver is up")
    if sink.options["url"].startswith("http:") and not is_loopback(sink.options["url"]):
        yield warning(sink.name, "is sent over http: it can be read on the network; use https in its URL")
    if not sink.options.get("secret"):
        name = "_".join(("UPDATE_CHECK", *sink.name.upper().split("."), "SECRET"))
        yield warning(sink.name, f"is sent unsigned: its receiver cannot tell who sent it; set {name}")


def probe_monitoring(settings: Settings) -> Iterable[Finding]:
    """Probe the heartbeat service and the directories of metrics and page."""
    if settings.heartbeat_url is not None:
        yield _probe_heartbeat(settings, settings.heartbeat_url)
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
