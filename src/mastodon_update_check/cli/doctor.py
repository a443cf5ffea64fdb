"""`doctor`: try everything that is configured, and say what to do about what does not work."""

from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.cli.common import Exit, load_app, print_json
from mastodon_update_check.jobs.doctor.diagnose import diagnose
from mastodon_update_check.jobs.doctor.finding import Finding, Grade


def execute(arguments: Namespace) -> int:
    """Print one line for each finding; exit 1 when something that is configured does not work."""
    app = load_app()
    findings = diagnose(app.settings, app.find_ledger, app.clock, host=app.host, last_beat_at=app.last_beat_at)
    if arguments.json:
        print_json({"findings": [_to_json(finding) for finding in findings]})
    else:
        _print(findings)
    return Exit.FAILED if any(finding.grade is Grade.ERROR for finding in findings) else Exit.DONE


def _to_json(finding: Finding) -> dict[str, str]:
    return {"grade": str(finding.grade), "subject": finding.subject, "sentence": finding.sentence}


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.grade:7}  {finding.subject:{width}}  {finding.sentence}")
