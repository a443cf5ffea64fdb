"""`skip`: pass a release over, take that back, or list what is passed over."""

import shlex
from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.domain.skips import Skip
from mastodon_update_check.errors import UsageError
from mastodon_update_check.jobs.skips import SkipReport, skip_releases, unskip_releases


def execute(arguments: Namespace) -> int:
    """Do what was asked.

    Raises:
        UsageError: a version is not one that can be skipped.
    """
    app = load_app()
    if arguments.versions or arguments.undo:
        _change(app, arguments)
    else:
        _list(app, as_json=arguments.json)
    return Exit.DONE


def _change(app: App, arguments: Namespace) -> None:
    if arguments.json:
        raise UsageError("--json goes with the list alone: leave everything else out")
    if not arguments.versions:
        raise UsageError("--undo needs a VERSION: name what is not to be skipped any more")
    found, instance = app.find_ledger(), app.settings.instance
    if found is None:
        raise UsageError(
            "no check has run yet, so it is not known what could be skipped: run mastodon-update-check check"
        )
    with found as ledger:
        if arguments.undo:
            _print_undone(unskip_releases(ledger, instance, arguments.versions, app.clock()))
        else:
            _print_skipped(skip_releases(ledger, instance, arguments.versions, app.clock()))


def _print_skipped(report: SkipReport) -> None:
    names = [str(update.version) for update in report.skipped]
    print(f"Skipped: {', '.join(names)}. Nobody is told or reminded of it any more, and `status` raises no alarm.")
    if report.others:
        print(f"With it, since older: {', '.join(str(update.version) for update in report.others)}.")
    urgent = [str(update.version) for update in (*report.skipped, *report.others) if update.urgent]
    if urgent:
        print(f"Warning: Mastodon marks {', '.join(urgent)} as urgent. Make sure that your server can do without.")
    if len(urgent) < len(report.skipped) + len(report.others):
        print("Should it turn urgent, you are told after all.")
    if report.cancelled:
        print(f"It is taken out of {count(report.cancelled, 'message')} that had not been sent yet.")
    if report.under_way:
        print(f"{count(report.under_way, 'message')} about it may still arrive: it is being sent at this moment.")
    print(f"To take this back: mastodon-update-check skip --undo {shlex.join(names)}")


def _print_undone(skips: Sequence[Skip]) -> None:
    names = ", ".join(str(skip.version) for skip in skips)
    print(f"No longer skipped: {names}. The next check tells whoever wants to know and has not been told.")


def _list(app: App, *, as_json: bool) -> None:
    known, found = ServerState(), app.find_ledger()
    if found is not None:
        with found as ledger:
            known = ledger.knowledge(app.settings.instance)
    if as_json:
        print_json({"skipped": [_describe(skip) for skip in known.skips]})
    elif not known.skips:
        print("Nothing is skipped.")
    for skip in () if as_json else known.skips:
        urgent = ", urgent" if skip.urgent else ""
        print(f"{skip.version}{urgent}: skipped on {skip.skipped_at:%Y-%m-%d %H:%M} UTC")


def _describe(skip: Skip) -> dict[str, object]:
    return {
        "version": str(skip.version),
        "urgent": skip.urgent,
        "skipped_at": skip.skipped_at.isoformat(timespec="seconds"),
    }
