"""`route`: which releases to deploy in which order, and the steps of one of them. Prints; never executes.

The facts are asked for now; nothing is stored, and recipients are not looked up.
"""

import os
from argparse import Namespace
from collections.abc import Sequence
from shlex import quote

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_end_of_support, print_json
from mastodon_update_check.config import Settings
from mastodon_update_check.domain.release_details import ReleaseDetails
from mastodon_update_check.domain.routes import Station, find_stations
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.upgrades import CommandValues, InstallKind, Step, write_steps
from mastodon_update_check.errors import UsageError
from mastodon_update_check.host.systemd import find_owner, find_units
from mastodon_update_check.jobs.check import learn
from mastodon_update_check.jobs.observe import inquire
from mastodon_update_check.jobs.recipients import People
from mastodon_update_check.mastodon.tree import detect_kind
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.payload import describe_details, describe_support
from mastodon_update_check.messages.release_details import describe_upgrade
from mastodon_update_check.terminal import complain, fill, progress, say

_KINDS = {
    InstallKind.SOURCE: "installed from source",
    InstallKind.DOCKER: "in containers",
    InstallKind.YUNOHOST: "on YunoHost",
    InstallKind.NIXOS: "on NixOS",
    InstallKind.FORK: "of a fork",
}


def execute(app: App, arguments: Namespace) -> int:
    """Print the route; exit 1 when it is unknown, 2 for a release that is not on it."""
    settings, now = app.settings, app.clock()
    with app.find_ledger() as ledger, progress("Asking the update server"):
        known = ledger.state()
        findings = inquire(settings, known, now, People())
    known = learn(known, findings, now)
    kind = settings.install_kind or detect_kind(settings.mastodon_root, known.installed)
    installed = known.installed if findings.error is None or known.good_at is not None else None
    stations = find_stations(installed, known.pending()) if installed else ()
    wanted = _choose(stations, arguments.version) if installed else None
    details, steps = _plan(settings, known, kind, stations, wanted) if wanted else (None, ())
    if arguments.json:
        answer = {
            "instance": settings.instance,
            "installed_version": known.installed.text if known.installed else None,
            "support": describe_support(known, now),
            "install_kind": kind,
            "route": [_describe(station) for station in stations],
            "steps_to": str(wanted) if wanted else None,
            "details": describe_details(details) if details else None,
            "steps": [{"kind": "commandstep" if one.is_command else "remark", "text": one.text} for one in steps],
            "error": str(findings.error) if findings.error else None,
        }
        print_json(answer)
    if installed is None:
        complain(f"the route is unknown: {findings.error}")
        return Exit.FAILED
    if not arguments.json:
        if findings.error is not None:
            say(f"Warning: {findings.error}. This is from the last good answer.")
        _print(app, known, kind, stations, wanted, steps)
    return Exit.DONE


def _plan(
    settings: Settings, known: ServerState, kind: InstallKind, stations: Sequence[Station], wanted: Station
) -> tuple[ReleaseDetails | None, Sequence[Step]]:
    """Compare a station with the one before it, where both are known, and write the steps to it."""
    assert known.installed is not None  # noqa: S101 - there are stations
    place, root = stations.index(wanted), settings.mastodon_root
    versions = [known.installed, *(one.update.version if one.update else None for one in stations)]
    before, version = versions[place : place + 2]
    details = known.compare(version, before) if version and before and settings.release_details else None
    values = CommandValues(kind=kind, root=os.fspath(root), user=find_owner(root), units=find_units(root))
    takes = describe_upgrade(details, kind) if details else ()
    return details, write_steps(values, wanted, known.installed, details, takes)


def _choose(stations: Sequence[Station], name: str | None) -> Station | None:
    """Return the station that a version or a branch names; the first without a name."""
    if name is None:
        return stations[0] if stations else None
    for station in stations:
        if name.removeprefix("v") in {str(station), station.branch}:
            return station
    names = ", ".join(map(str, stations)) or "nothing, no newer release is known"
    raise UsageError(f"{clean(name)} is not on the route: that has {names}")


def _describe(station: Station) -> dict[str, object]:
    update = station.update
    return {
        "release": str(station),
        "branch": station.branch,
        "listed": update is not None,
        "urgent": station.has_urgent,
        "end_of_support": update.end_of_support_on if update else None,
        "release_notes": (update.release_notes if update else "") or None,
    }


def _print(
    app: App,
    known: ServerState,
    kind: InstallKind,
    stations: Sequence[Station],
    wanted: Station | None,
    steps: Sequence[Step],
) -> None:
    assert known.installed is not None  # noqa: S101 - the caller has checked
    if wanted is None:
        say(f"{app.settings.instance} runs Mastodon {known.installed.text}, and nothing newer is known.")
        return
    say(f"From {known.installed.text} to {stations[-1]}:")
    names = [str(one) if one.update else f"{one} (its newest patch)" for one in stations]
    width = max(map(len, names))
    for number, (name, station) in enumerate(zip(names, stations, strict=True)):
        ends_on = station.update.end_of_support_on if station.update else None
        facts = (
            "urgent" if station.has_urgent else "",
            str(station.update.type or "") if station.update else "",
            f"supported until {long_date(ends_on)}" if ends_on else "",
        )
        print(f"  {'then' if number else 'now ':4}  {name:{width}}  {', '.join(filter(None, facts))}".rstrip())
    if known.support_ends_on is not None:
        say(describe_end_of_support(known.installed.branch, known.support_ends_on, app.clock()))
    if len(stations) > 1:
        say("At least one release of every branch must be deployed, here its newest; the others may be skipped.")
    guess = "" if app.settings.install_kind else " (if it is not: UPDATE_CHECK_INSTALL_KIND)"
    say(f"\nTo {wanted}, for a Mastodon {_KINDS[kind]}{guess}. None of this is run for you:\n")
    for step in steps:
        # Sentences as comments of a shell, so that the whole may be pasted into a file.
        print(f"    {step.text}" if step.is_command else fill(step.text, "# ", "# ", widest=80))
    others = [station for station in stations if station != wanted]
    if others:
        say(f"\nFor the steps to another one: mastodon-update-check route {quote(str(others[-1]))}")
