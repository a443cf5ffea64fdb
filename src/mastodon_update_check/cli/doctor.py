"""`doctor`: try everything that is configured, and suggest a fix for everything that does not work."""

from argparse import Namespace
from collections.abc import Sequence
from functools import partial

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, print_json
from mastodon_update_check.domain.text import count
from mastodon_update_check.jobs.doctor.diagnose import diagnose
from mastodon_update_check.jobs.doctor.finding import Finding, Grade
from mastodon_update_check.monitoring.status import StatusReport
from mastodon_update_check.terminal import fill, paint, progress, say

_COLOURS = {Grade.ERROR: "bad", Grade.WARNING: "warning", Grade.OK: "fine"}
_WORST_FIRST = tuple(_COLOURS)
_VERDICTS = {
    Grade.ERROR: "Not everything that is configured works.",
    Grade.WARNING: "Everything that is configured works; see the warnings.",
    Grade.OK: "Everything works.",
}


def execute(app: App, arguments: Namespace) -> int:
    """Print one paragraph for each finding, problems first; exit 1 when there is an error."""
    with progress("Trying everything that is configured"):
        findings = diagnose(app.settings, partial(_read_status, app), app.clock, host=app.host)
    if arguments.json:
        fields = ({"grade": str(one.grade), "subject": one.subject, "sentence": one.sentence} for one in findings)
        print_json({"findings": list(fields)})
    else:
        _print(findings, is_verbose=arguments.verbose)
    return Exit.FAILED if any(finding.grade is Grade.ERROR for finding in findings) else Exit.DONE


def _read_status(app: App) -> StatusReport:
    with app.find_ledger() as ledger:
        return app.status_report(ledger)


def _print(findings: Sequence[Finding], *, is_verbose: bool) -> None:
    shown = [finding for finding in findings if is_verbose or not finding.is_detail]
    ordered = sorted(shown, key=lambda finding: _WORST_FIRST.index(finding.grade))
    width = max(len(finding.subject) for finding in ordered)
    for finding in ordered:
        text = fill(finding.sentence, f"{finding.grade:7}  {finding.subject:{width}}  ")
        print(text.replace(finding.grade, paint(finding.grade, _COLOURS[finding.grade]), 1))
    errors, warnings = (sum(each.grade is grade for each in findings) for grade in (Grade.ERROR, Grade.WARNING))
    print()
    say(f"{_VERDICTS[ordered[0].grade]} {count(errors, 'error')}, {count(warnings, 'warning')}.")
