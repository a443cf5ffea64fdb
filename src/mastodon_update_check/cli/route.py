"""`route`: which releases to deploy in which order, and the steps of one of them. Prints; never executes."""

import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from shlex import quote
from textwrap import fill

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, describe_end_of_support, load_app, print_json
from mastodon_update_check.cli.terminal import columns
from mastodon_update_check.domain.release_details import ReleaseDetails
from mastodon_update_check.domain.routes import Station, find_stations
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.upgrades import Command, InstallKind, Step, write_steps
from mastodon_update_check.jobs.route import Surveyed, survey
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.messages.payload import describe_details, describe_support

_KINDS = {
    InstallKind.SOURCE: "installed from source",
    InstallKind.DOCKER: "in containers",
    InstallKind.YUNOHOST: "on YunoHost",
    InstallKind.NIXOS: "on NixOS",
    InstallKind.FORK: "of a fork",
}


def execute(arguments: Namespace) -> int:
    """Print the route; exit 1 when it is unknown, 2 for a release that is not on it."""
    app = load_app(arguments)
    found = _survey(app)
    known = found.knowledge
    if known.installed is None or (found.error is not None and known.good_at is None):
        print(f"mastodon-update-check: the route is unknown: {found.error}", file=sys.stderr)
        if arguments.json:
            print_json(_to_json(app, found, (), None, ()))
        return Exit.FAILED
    stations = find_stations(known.installed, known.pending())
    wanted = _choose(stations, arguments.version)
    if arguments.version and wanted is None:
        names = ", ".join(map(str, stations)) or "nothing, no newer release is known"
        print(f"mastodon-update-check: {arguments.version} is not on the route: that has {names}", file=sys.stderr)
        return Exit.USAGE
    details = _compare(known, stations, wanted) if app.settings.release_details else None
    steps = () if wanted is None else write_steps(found.installation, wanted, known.installed, details)
    if arguments.json:
        print_json(_to_json(app, found, stations, wanted, steps, details))
    else:
        _print(app, found, stations, wanted, steps)
    return Exit.DONE


def _survey(app: App) -> Surveyed:
    ledger = app.find_ledger()
    if ledger is None:
        return survey(app.settings, ServerState(), app.clock())
    with ledger:
        known = ledger.state()
    return survey(app.settings, known, app.clock())


def _choose(stations: Sequence[Station], name: str | None) -> Station | None:
    """Return the station that a version or a series names; the first without a name."""
    if name is None:
        return stations[0] if stations else None
    asked = name.removeprefix("v")
    return next((station for station in stations if asked in {str(station), station.branch}), None)


def _compare(known: ServerState, stations: Sequence[Station], wanted: Station | None) -> ReleaseDetails | None:
    """Compare a station with the one before it; None when one of them is not known."""
    if wanted is None:
        return None
    place = stations.index(wanted)
    versions = [known.installed, *(one.update.version if one.update else None for one in stations)]
    before, version = versions[place : place + 2]
    return known.compare(version, before) if version and before else None


def _to_json(
    app: App,
    found: Surveyed,
    stations: Sequence[Station],
    wanted: Station | None,
    steps: Sequence[Step],
    details: ReleaseDetails | None = None,
) -> dict[str, object]:
    known = found.knowledge
    return {
        "instance": app.settings.instance,
        "installed_version": known.installed.text if known.installed else None,
        "support": describe_support(known.support_ends_on, known.support_at(app.clock()), known.installed),
        "install_kind": str(found.installation.kind),
        "route": [_describe(station) for station in stations],
        "steps_to": str(wanted) if wanted else None,
        "details": describe_details(details) if details else None,
        "steps": [{"kind": type(step).__name__.lower(), "text": step.text} for step in steps],
        "error": str(found.error) if found.error else None,
    }


def _describe(station: Station) -> dict[str, object]:
    update = station.update
    ends_on = update.end_of_support_on if update else None
    return {
        "release": str(station),
        "branch": station.branch,
        "listed": update is not None,
        "urgent": station.has_urgent,
        "end_of_support": ends_on.isoformat() if ends_on else None,
        "release_notes": (update.release_notes if update else "") or None,
    }


def _print(
    app: App, found: Surveyed, stations: Sequence[Station], wanted: Station | None, steps: Sequence[Step]
) -> None:
    known = found.knowledge
    assert known.installed is not None  # noqa: S101 - the caller has checked
    if found.error is not None:
        print(f"Warning: {found.error}. This is from the last good answer.")
    if wanted is None:
        print(f"{app.settings.instance} runs Mastodon {known.installed.text}, and nothing newer is known.")
        return
    print(f"From {known.installed.text} to {stations[-1]}:")
    for line in _list(stations):
        print(f"  {line}")
    if known.support_ends_on is not None:
        print(f"{describe_end_of_support(known.installed.branch, known.support_ends_on, app.clock())}.")
    if len(stations) > 1:
        print("One release of every minor series must be deployed, its newest; patches may be skipped.")
    guess = "" if app.settings.install_kind else " (if it is not: UPDATE_CHECK_INSTALL_KIND)"
    print(f"\nTo {wanted}, for a Mastodon {_KINDS[found.installation.kind]}{guess}. Nothing of this is run for you:\n")
    for step in steps:
        print(f"    {step.text}" if isinstance(step, Command) else _remark(step.text))
    others = [station for station in stations if station != wanted]
    if others:
        print(f"\nFor the steps to another one: mastodon-update-check route {quote(str(others[-1]))}")


def _remark(text: str) -> str:
    """Write a remark as comments of a shell, so that the whole may be pasted into a file."""
    return fill(
        text,
        min(columns(), 80),
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _list(stations: Sequence[Station]) -> Iterable[str]:
    names = [str(one) if one.update else f"{one} (its newest patch)" for one in stations]
    width = max(map(len, names))
    for number, (name, station) in enumerate(zip(names, stations, strict=True)):
        ends_on = station.update.end_of_support_on if station.update else None
        facts = (
            "urgent" if station.has_urgent else "",
            str(station.update.type or "") if station.update else "",
            f"supported until {long_date(ends_on)}" if ends_on else "",
        )
        yield f"{'then' if number else 'now ':4}  {name:{width}}  {', '.join(filter(None, facts))}".rstrip()
