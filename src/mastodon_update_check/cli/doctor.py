"""`doctor`: try everything that is configured, and suggest a fix for everything that does not work."""

from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.cli.common import Exit, count, load_app, print_json
from mastodon_update_check.cli.terminal import fill, paint, progress, say
from mastodon_update_check.jobs.doctor.diagnose import diagnose
from mastodon_update_check.jobs.doctor.finding import Finding, Grade

_COLOURS = {Grade.ERROR: "bad", Grade.WARNING: "warning", Grade.OK: "fine"}
_WORST_FIRST = tuple(_COLOURS)
_VERDICTS = {
    Grade.ERROR: "Not everything that is configured works.",
    Grade.WARNING: "Everything that is configured works; see the warnings.",
    Grade.OK: "Everything works.",
}


def execute(arguments: Namespace) -> int:
    """Print one paragraph for each finding, problems first; exit 1 when there is an error."""
    app = load_app(arguments)
    with progress("Trying everything that is configured"):
        findings = diagnose(app.settings, app.find_ledger, app.clock, host=app.host, last_beat_at=app.last_beat_at)
    if arguments.json:
        print_json({"findings": [_to_json(finding) for finding in findings]})
    else:
        _print(findings, is_verbose=arguments.verbose)
    return Exit.FAILED if any(finding.grade is Grade.ERROR for finding in findings) else Exit.DONE


def _to_json(finding: Finding) -> dict[str, str]:
    return {"grade": str(finding.grade), "subject": finding.subject, "sentence": finding.sentence}


def _print(findings: Sequence[Finding], *, is_verbose: bool) -> None:
    shown = [finding for finding in findings if is_verbose or not finding.is_detail]
    ordered = sorted(shown, key=lambda finding: _WORST_FIRST.index(finding.grade))
    width = max(len(finding.subject) for finding in ordered)
    for finding in ordered:
        head = f"{finding.grade:7}  {finding.subject:{width}}  "
        text = "\n".join(fill(finding.sentence, head))
        print(text.replace(finding.grade, paint(finding.grade, _COLOURS[finding.grade]), 1))
    worst = ordered[0].grade
    errors, warnings = (sum(each.grade is grade for each in findings) for grade in (Grade.ERROR, Grade.WARNING))
    print()
    say(f"{_VERDICTS[worst]} {count(errors, 'error')}, {count(warnings, 'warning')}.")
