"""`doctor`: try everything that is configured, and suggest a fix for everything that does not work."""

import time
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as NotDoneError
from datetime import timedelta
from functools import partial

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, pick, print_json
from mastodon_update_check.config.settings import EMAIL
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.text import count, describe_bug
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.http.time_limit import in_thread
from mastodon_update_check.jobs.doctor import Finding, Grade, error, probe_program
from mastodon_update_check.jobs.doctor.probe_server import probe_release_details, probe_server
from mastodon_update_check.terminal import fill, paint, progress, say

LIMIT = timedelta(seconds=110)
"""How long all of it may take: the slowest probe asks three times, bounded by 30 s each, and systemd."""
_GRADES = {
    Grade.ERROR: ("bad", "Not everything that is configured works."),
    Grade.WARNING: ("warning", "Everything that is configured works; see the warnings."),
    Grade.OK: ("fine", "Everything works."),
}
"""The colour, and the verdict when there is nothing worse; worst first."""


def execute(app: App, arguments: Namespace) -> int:
    """Print one paragraph for each finding, problems first; exit 1 when there is an error."""
    with progress("Trying everything that is configured"):
        findings = diagnose(app)
    if arguments.json:
        print_json({"findings": [pick(one, "grade", "subject", "sentence") for one in findings]})
    else:
        _print(findings, is_verbose=arguments.verbose)
    return Exit.FAILED if any(finding.grade is Grade.ERROR for finding in findings) else Exit.DONE


def diagnose(app: App, limit: timedelta = LIMIT) -> tuple[Finding, ...]:
    """Probe everything that is configured."""
    settings, status = app.settings, None
    try:
        status = app.read_status()
        ledger_findings = tuple(probe_program.describe_ledger(status, exists=app.ledger_location.exists()))
    except (LedgerError, SettingsError) as failure:
        ledger_findings = tuple(error("ledger", problem) for problem in str(failure).splitlines())
    known = status.known if status else ServerState()
    probes = {
        "version": probe_server(settings, known, app.clock()),
        "recipients": probe_program.probe_people(settings, known),
        **{sink.name: probe_program.probe_sink(sink) for sink in settings.sinks if sink.plugin != EMAIL},
        "release details": probe_release_details(settings, known),
        "monitoring": probe_program.probe_monitoring(settings),
        "daemon": probe_program.probe_daemon(status, app.host),
    }
    return (*probe_program.probe_settings(settings), *_run(probes, limit), *ledger_findings)


def _run(probes: Mapping[str, Iterator[Finding]], limit: timedelta) -> Iterator[Finding]:
    """Run all probes at the same time, each in a thread of its own, within one time limit."""
    end = time.monotonic() + limit.total_seconds()
    running = {subject: in_thread(partial(tuple, probe)) for subject, probe in probes.items()}
    for subject, future in running.items():
        try:
            yield from future.result(timeout=max(end - time.monotonic(), 0))
        except NotDoneError:
            yield error(subject, f"was not done within {limit.total_seconds():g} s: something on the way hangs")
        except Exception as crash:  # noqa: BLE001 - a bug in one probe must not hide the findings of the others
            yield error(subject, describe_bug(crash))


def _print(findings: Sequence[Finding], *, is_verbose: bool) -> None:
    shown = [finding for finding in findings if is_verbose or not finding.is_detail]
    ordered = [finding for grade in _GRADES for finding in shown if finding.grade is grade]
    width = max(len(finding.subject) for finding in ordered)
    for finding in ordered:
        text = fill(finding.sentence, f"{finding.grade:7}  {finding.subject:{width}}  ")
        print(text.replace(finding.grade, paint(finding.grade, _GRADES[finding.grade][0]), 1))
    errors, warnings = (sum(each.grade is grade for each in findings) for grade in (Grade.ERROR, Grade.WARNING))
    print()
    say(f"{_GRADES[ordered[0].grade][1]} {count(errors, 'error')}, {count(warnings, 'warning')}.")
