"""The program itself: its settings, ledger, daemon and monitoring files."""

from collections.abc import Iterator
from datetime import timedelta

from mastodon_update_check.config import Settings
from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.systemd import Properties, show_unit
from mastodon_update_check.jobs.doctor import Finding, error, ok, warning
from mastodon_update_check.jobs.recipients import MAIL
from mastodon_update_check.monitoring.status import StatusReport

UNIT = "mastodon-update-check.service"
_PROPERTIES = "LoadState,ActiveState,UnitFileState,Result"
_RECENT = timedelta(hours=2)
"""A more recent check was made by something that checks regularly."""


def probe_settings(settings: Settings) -> Iterator[Finding]:
    """List the settings with their origins, and missing ones."""
    files = [str(path) for path in (settings.config_file, *settings.mastodon_files) if path is not None]
    yield ok("settings", f"read from the environment{''.join(f' and {file}' for file in files)}; --verbose lists them")
    for name in sorted(settings.origins):
        yield ok("settings", f"{name}={settings.shown[name]} ({settings.origins[name]})", is_detail=True)
    for disabled in settings.disabled:
        yield error("settings", str(disabled))
    for sentence in filter(None, (*settings.warnings, settings.update_server_warning)):
        yield warning("settings", sentence)
    if not settings.mastodon_files:
        sentence = "Mastodon's .env.production was not read: give LOCAL_DOMAIN and SMTP_… in our own file"
        yield warning("settings", f"{sentence}, or set UPDATE_CHECK_MASTODON_ENV_FILE")
    if settings.instance_is_assumed:
        yield warning("settings", "LOCAL_DOMAIN is set nowhere: set it, it names the server in every message")
    if any(sink.plugin == MAIL for sink in settings.sinks) and "SMTP_FROM_ADDRESS" not in settings.origins:
        sentence = "SMTP_FROM_ADDRESS is set nowhere: mails come from notifications@localhost"
        yield warning("settings", f"{sentence}, which many servers refuse")


def describe_mastodons_check(settings: Settings) -> Finding:
    """Say whether the check that is built into Mastodon is on."""
    sentence = "is on: its users are mailed by both, and its admin page works"
    if settings.mastodon_check_is_off:
        sentence = "is off (UPDATE_CHECK_URL is blank in its file): no mails, no admin page, no banner of its own"
    elif not settings.mastodon_files:
        sentence = "may be on or off: its file was not read"
    return ok("Mastodon's own check", sentence)


def describe_ledger(status: StatusReport, *, exists: bool) -> Iterator[Finding]:
    """Describe a ledger that can be read, and what is undelivered."""
    ledger, outbox = status.settings.ledger, status.outbox
    place = "the ledger in PostgreSQL" if "://" in ledger else ledger
    if not exists and status.is_alive:
        restart = "restore a backup, or sudo systemctl restart mastodon-update-check"
        yield error("ledger", f"was deleted while the daemon was running: {restart}")
    else:
        yield ok("ledger", f"{place} {'is sound' if exists else 'is created by the first check'}")
    for sink in outbox.sinks:
        if sink.is_stopped:
            yield warning(sink.name, "its receiver asked never to be called again (HTTP 410): give it another URL")
        elif sink.failing_since is not None and sink.undelivered:
            since = f"{sink.failing_since:%Y-%m-%d %H:%M} UTC"
            yield warning(sink.name, f"has accepted nothing since {since}; its last reply: {sink.reply}")
    if outbox.undelivered:
        messages = f"{outbox.undelivered} message{' is' if outbox.undelivered == 1 else 's are'} not delivered yet"
        yield warning("ledger", f"{messages}: `status` says why, `retry` makes them due at once")


def probe_daemon(status: StatusReport | None, host: str) -> Iterator[Finding]:
    """Examine the unit and the heartbeat; `host` is this machine among those of the ledger."""
    unit = show_unit(UNIT, _PROPERTIES)
    yield from _describe_unit(unit)
    if status is None:
        yield warning("daemon", "may be running or not: its heartbeat is in the ledger, which cannot be read")
    elif status.is_alive:
        yield ok("daemon", "is running")
    elif others := [node.host for node in status.nodes if node.host != host and is_alive(node.alive_at, status.now)]:
        where = clean(", ".join(others))
        yield warning("daemon", f"is not running on this machine, only on {where}: start it here as a standby")
    elif status.known.checked_at is not None and status.now - status.known.checked_at < _RECENT:
        when = f"{status.known.checked_at:%H:%M} UTC"
        yield ok("daemon", f"is not running, but a check was made at {when}: by hand, a timer or cron")
    else:
        is_installed = unit is not None and unit.one("LoadState") != "not-found"
        start = f"sudo systemctl enable --now {UNIT.removesuffix('.service')}" if is_installed else "start it"
        yield error("daemon", f"is not running, so that no notices are sent: {start}, or run `check` from a timer")


def _describe_unit(unit: Properties | None) -> Iterator[Finding]:
    if unit is None:
        yield ok("unit", "not running under systemd")
        return
    active = unit.one("ActiveState")
    if unit.one("LoadState") == "not-found":
        yield warning("unit", f"{UNIT} does not exist: install the package, so that the daemon starts with the machine")
    elif active in {"active", "reloading"}:
        yield ok("unit", f"{UNIT} is running")
    else:
        why = f"its state is {active}, its last result {unit.one('Result')}"
        yield error("unit", f"{UNIT} is not running ({why}): see `journalctl -u {UNIT}`, sudo systemctl restart {UNIT}")
    if unit.one("UnitFileState") == "disabled":
        yield warning("unit", f"{UNIT} does not start with the machine: sudo systemctl enable {UNIT}")
