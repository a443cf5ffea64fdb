"""Whether the daemon is running: its heartbeat, and the state of its unit where systemd is."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from mastodon_update_check.domain.server.status import is_alive
from mastodon_update_check.domain.text import clean
from mastodon_update_check.host.systemd import show_unit
from mastodon_update_check.jobs.doctor.finding import Finding, error, ok, warning
from mastodon_update_check.monitoring.status import StatusReport

UNIT = "mastodon-update-check.service"
_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Result")
_RECENT = timedelta(hours=2)
"""A more recent check was made by something that checks regularly."""


def probe_daemon(status: StatusReport | None, host: str) -> Iterable[Finding]:
    """Examine the unit and the heartbeat; `host` is this machine among those of the ledger."""
    unit = ask_systemd()
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
        is_installed = unit is not None and unit.get("LoadState") != "not-found"
        start = f"sudo systemctl enable --now {UNIT.removesuffix('.service')}" if is_installed else "start it"
        yield error("daemon", f"is not running, so that no notices are sent: {start}, or run `check` from a timer")


def ask_systemd() -> Mapping[str, str] | None:
    """Return what systemd says about our unit; None without systemd, as in most containers."""
    found = show_unit(UNIT, ",".join(_PROPERTIES))
    return None if found is None else {name: found.one(name) for name in _PROPERTIES}


def _describe_unit(unit: Mapping[str, str] | None) -> Iterator[Finding]:
    if unit is None:
        yield ok("unit", "not running under systemd")
        return
    if unit.get("LoadState") == "not-found":
        yield warning("unit", f"{UNIT} does not exist: install the package, so that the daemon starts with the machine")
        return
    active, sub = unit.get("ActiveState", ""), unit.get("SubState", "")
    if active == "failed" or sub == "auto-restart":
        result = unit.get("Result", "")
        yield error("unit", f"{UNIT} has failed ({result}): see `journalctl -u {UNIT}`, then restart it")
    elif active in {"active", "reloading"}:
        yield ok("unit", f"{UNIT} is running")
    else:
        yield error("unit", f"{UNIT} is {active or 'in an unknown state'}: sudo systemctl start {UNIT}")
    if unit.get("UnitFileState") == "disabled":
        yield warning("unit", f"{UNIT} does not start with the machine: sudo systemctl enable {UNIT}")
