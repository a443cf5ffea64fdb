"""The installed version, the update server, unfinished upgrades, and release details."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.feeds import newer_updates
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.urls import is_loopback
from mastodon_update_check.errors import Cause
from mastodon_update_check.jobs.check import learn
from mastodon_update_check.jobs.doctor import Finding, error, ok, warning
from mastodon_update_check.jobs.observe import Findings, inquire, proxies
from mastodon_update_check.jobs.recipients import People
from mastodon_update_check.messages.explanations import describe_unfinished

SERVER = "update server"
_ADVICE = {
    Cause.DNS: "look at the name in UPDATE_CHECK_URL, and at /etc/resolv.conf",
    Cause.CONNECTION: "look at the firewall, and at https_proxy if there is a proxy",
    Cause.TLS: "look at the clock, and at the package ca-certificates",
    Cause.HTTP_STATUS: "if it stays so, look at UPDATE_CHECK_URL",
    Cause.CONTENT: "look at UPDATE_CHECK_URL, and at https_proxy if there is a proxy",
}


def probe_server(settings: Settings, known: ServerState, now: datetime) -> Iterator[Finding]:
    """Ask as a check does; then list unfinished work: services as they run now, migrations as the last check found."""
    findings = inquire(replace(settings, release_details=""), known, now, People())
    tree, running = findings.tree, findings.running
    first = "the tree" if settings.mastodon_version is None else "UPDATE_CHECK_MASTODON_VERSION"
    for place, reading in ((first, tree), ("the running server", running)):
        if reading.version is not None:
            yield ok("version", f"{place} says {reading.version.text}")
        elif reading.error is not None:
            yield warning("version", f"{reading.error}")
    if tree.version is not None and running.version is not None and tree.version != running.version:
        yield warning("version", "they differ: restart Mastodon when the upgrade is done")
    yield from _describe_answer(settings, findings)
    known = learn(known, findings, now)
    sentences = [*describe_unfinished(known)]
    yield from (warning("upgrade", sentence) for sentence in sentences)
    if not sentences and known.migrations is not None:
        yield ok("upgrade", "no migrations are pending, and no services are older than the tree")


def _describe_answer(settings: Settings, findings: Findings) -> Iterator[Finding]:
    if findings.installed is None:
        remedy = "correct these, or set UPDATE_CHECK_MASTODON_ROOT or UPDATE_CHECK_MASTODON_VERSION"
        yield error("version", f"the installed version is unknown, for the reasons in the warnings: {remedy}")
        yield warning(SERVER, "was not asked, because the installed version is unknown")
        return
    yield ok("version", f"{findings.installed.text} counts as installed")
    if settings.url is None:
        yield warning(SERVER, f"checking is off: {settings.off_reason}")
        return
    if findings.error is not None:
        yield error(SERVER, f"{findings.error}; {_ADVICE.get(findings.error.cause, 'look at UPDATE_CHECK_URL')}")
    elif findings.feed is not None:
        newer = len(newer_updates(findings.feed, findings.installed)) or "nothing"
        yield ok(SERVER, f"answers; it lists {newer} newer ({urlsplit(settings.url).hostname})")
    shown = {str(findings.tree.error), str(findings.running.error)}
    yield from (warning(SERVER, each) for each in findings.warnings if each not in shown)
    if urlsplit(settings.url).scheme == "http" and not is_loopback(settings.url):
        danger = "an attacker on the network can hide a release"
        yield warning(SERVER, f"is asked over http: {danger}; use https in UPDATE_CHECK_URL")


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
    facts, problem = fetch_releases(template, [known.installed], {}, proxies(settings), _TOTAL)
    if problem:
        yield warning(SOURCE, f"{host} does not give the files of {tag}: {problem}")
        return
    missing = [path for path, fact in facts[known.installed.stored].items() if not fact]
    yield ok(SOURCE, f"{host} has the files of {tag}" + (f", but not {', '.join(missing)}" if missing else ""))
