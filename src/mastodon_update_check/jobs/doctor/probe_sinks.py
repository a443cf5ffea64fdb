"""Webhooks are reached and not posted to; the sinks of other packages are loaded."""

from collections.abc import Iterable, Iterator

from mastodon_update_check.config import SinkSettings
from mastodon_update_check.config.hosts import is_loopback
from mastodon_update_check.errors import CheckError, SettingsError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning

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
        yield warning(sink.name, "is sent over http: anybody on the way can read it; use https in its URL")
    if not sink.options.get("secret"):
        name = "_".join(("UPDATE_CHECK", *sink.name.upper().split("."), "SECRET"))
        yield warning(sink.name, f"is sent unsigned: its receiver cannot tell who sent it; set {name}")
