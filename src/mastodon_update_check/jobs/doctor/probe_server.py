"""The installed version, the update server and its clock, release details, and unfinished upgrades."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.feeds import describe_staleness, newer_updates, parse_feed, read_date
from mastodon_update_check.domain.notices import ServicesOutdatedNotice
from mastodon_update_check.domain.server.installed import merge_readings
from mastodon_update_check.domain.server.problems import observe
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.urls import is_loopback
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.jobs.doctor import Finding, error, ok, warning
from mastodon_update_check.jobs.observe import outdated_services, proxies, see_versions
from mastodon_update_check.messages.explanations import describe_unfinished

SERVER = "update server"
TOLERANCE = timedelta(minutes=1)
"""How far the clock may be off: receivers of webhooks allow five minutes."""
_ADVICE = {
    Cause.DNS: "look at the name in UPDATE_CHECK_URL, and at /etc/resolv.conf",
    Cause.CONNECTION: "look at the firewall, and at https_proxy if there is a proxy",
    Cause.TLS: "look at the clock, and at the package ca-certificates",
    Cause.HTTP_STATUS: "if it stays so, look at UPDATE_CHECK_URL",
    Cause.CONTENT: "look at UPDATE_CHECK_URL, and at https_proxy if there is a proxy",
}


def probe_versions(settings: Settings, known: ServerState, clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Find the installed version, then ask the update server about it."""
    tree, running = see_versions(settings)
    first = "the tree" if settings.mastodon_version is None else "UPDATE_CHECK_MASTODON_VERSION"
    for place, reading in ((first, tree), ("the running server", running)):
        if reading.version is not None:
            yield ok("version", f"{place} says {reading.version.text}")
        elif reading.error is not None:
            yield warning("version", f"{reading.error}")
    if tree.version is not None and running.version is not None and tree.version != running.version:
        yield warning("version", "they differ: restart Mastodon when the upgrade is done")
    try:
        installed = merge_readings(tree, running, known, clock()).installed
    except CheckError:
        remedy = "correct these, or set UPDATE_CHECK_MASTODON_ROOT or UPDATE_CHECK_MASTODON_VERSION"
        yield error("version", f"the installed version is unknown, for the reasons in the warnings: {remedy}")
        yield warning(SERVER, "was not asked, because the installed version is unknown")
        return
    assert installed is not None  # noqa: S101 - merge_readings has found one
    yield ok("version", f"{installed.text} counts as installed")
    if settings.url is None:
        yield warning(SERVER, f"checking is off: {settings.off_reason}")
        return
    yield from _ask(settings, settings.url, installed, clock)


def _ask(settings: Settings, url: str, installed: MastodonVersion, clock: Callable[[], datetime]) -> Iterator[Finding]:
    from mastodon_update_check.http.request import StatusError
    from mastodon_update_check.mastodon.update_server import ask_update_server

    headers: Mapping[str, str] = {}
    began = time.monotonic()
    parts = urlsplit(url)
    try:
        answer = ask_update_server(url, installed, proxies(settings))
        headers = answer.headers
        feed = parse_feed(answer.document)
    except CheckError as failure:
        headers = failure.headers if isinstance(failure, StatusError) else headers
        yield error(SERVER, f"{failure}; {_ADVICE.get(failure.cause, 'look at UPDATE_CHECK_URL')}")
    else:
        newer = len(newer_updates(feed, installed)) or "nothing"
        way = ", through the proxy" if proxies(settings).choose(url) else ""
        seconds = time.monotonic() - began
        yield ok(SERVER, f"answers; it lists {newer} newer ({parts.hostname}{way}, {seconds:.1f} s)")
        yield from (warning(SERVER, each) for each in feed.warnings)
    stale = describe_staleness(headers, clock())
    if stale:
        yield warning(SERVER, stale)
    if parts.scheme == "http" and not is_loopback(url):
        danger = "an attacker on the network can hide a release"
        yield warning(SERVER, f"is asked over http: {danger}; use https in UPDATE_CHECK_URL")
    yield ok("clock", "was not compared: the answer is stale") if stale else _judge_clock(headers, clock())


def _judge_clock(headers: Mapping[str, str], now: datetime) -> Finding:
    """Compare this machine's clock with the `Date` of an answer."""
    date = read_date(headers)
    if date is None:
        return ok("clock", "was not compared: the update server did not say what time it is")
    ahead = now - date
    if abs(ahead) <= TOLERANCE:
        return ok("clock", "is right, by the update server's")
    seconds = abs(ahead).total_seconds()
    way = "ahead of" if ahead > timedelta() else "behind"
    return warning(
        "clock",
        f"is {seconds:.0f} s {way} that of the update server: let it follow a time server "
        "(`timedatectl set-ntp true`); webhooks that are signed five minutes off are refused",
    )


UPGRADE = "upgrade"


def probe_upgrade(settings: Settings, known: ServerState, now: datetime) -> Iterator[Finding]:
    """List unfinished work: services as they run now, migrations as the last check found them."""
    services = outdated_services(settings.mastodon_root)
    known = replace(known, services=observe(known.services, ServicesOutdatedNotice, services, known.tree, now))
    sentences = [*describe_unfinished(known)]
    yield from (warning(UPGRADE, sentence) for sentence in sentences)
    if not sentences and known.migrations is not None:
        yield ok(UPGRADE, "no migrations are pending, and no services are older than the tree")


SOURCE = "release details"
_TOTAL = timedelta(seconds=20)


def probe_release_details(settings: Settings, known: ServerState) -> Iterator[Finding]:
    """Fetch the files of the installed release."""
    template = settings.release_details
    if not template:
        yield ok(SOURCE, "off: messages do not say what a release fixes (UPDATE_CHECK_RELEASE_DETAILS=github does)")
        return
    if known.installed is None:
        yield warning(SOURCE, "the source was not tried: the installed version is not known yet")
        return
    from mastodon_update_check.mastodon.release_details import fetch_releases, name_tag

    tag, host = name_tag(template, known.installed), urlsplit(template).hostname
    fetched = fetch_releases(template, [known.installed], {}, proxies(settings), _TOTAL)
    if fetched.problem:
        yield warning(SOURCE, f"{host} does not give the files of {tag}: {fetched.problem}")
        return
    missing = [path for path, fact in fetched.facts[known.installed.stored].items() if not fact]
    yield ok(SOURCE, f"{host} has the files of {tag}" + (f", but not {', '.join(missing)}" if missing else ""))
