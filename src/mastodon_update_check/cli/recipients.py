"""`recipients`: all recipients, the notices that each one gets, and why."""

from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_verdict, name_recipient, print_json
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.terminal import print_table, progress, say


def execute(app: App, arguments: Namespace) -> int:
    """List them; exit 1 when Mastodon's database could not be asked."""
    with app.find_ledger() as ledger, progress("Asking Mastodon's database"):
        people = find_people(app.settings, ledger.state().devops)
    if arguments.json:
        print_json(_to_json(people))
    else:
        _print(people)
    return Exit.FAILED if people.answer.error is not None else Exit.DONE


def _to_json(people: People) -> dict[str, object]:
    return {
        "recipients": [
            {
                "sink": recipient.sink,
                "name": recipient.name or None,
                "address": recipient.address or None,
                "role": recipient.role or None,
                "preference": str(recipient.preference),
                "support": recipient.wants_support,
                "operator": recipient.is_operator,
                "reason": _reason(recipient),
            }
            for recipient in people.recipients
        ],
        "not_told": [
            {"name": verdict.user.name, "role": verdict.user.role or None, "reason": str(verdict.reason)}
            for verdict in _not_notified(people)
        ],
        "warnings": list(people.warnings),
        "error": str(people.answer.error) if people.answer.error else None,
    }


def _print(people: People) -> None:
    if people.answer.error is not None:
        say(f"Mastodon's database could not be asked for the DevOps users: {people.answer.error}.")
    rows = [("SINK", "RECIPIENT", "RELEASES", "SUPPORT", "OPERATOR", "REASON"), *map(_row, people.recipients)]
    print_table(rows)
    others = _not_notified(people)
    if others:
        print("\nNot notified:")
    for verdict in others:
        say(describe_verdict(verdict))
    for warning in people.warnings:
        say(f"Warning: {warning}.")


def _row(recipient: Recipient) -> tuple[str, ...]:
    yes_no = ("yes" if has else "no" for has in (recipient.wants_support, recipient.is_operator))
    return recipient.sink, name_recipient(recipient) or "-", str(recipient.preference), *yes_no, _reason(recipient)


def _reason(recipient: Recipient) -> str:
    if recipient.key.startswith("user:"):
        return f"{recipient.role} can view DevOps" if recipient.role else "can view DevOps"
    return "named in the settings" if recipient.address else "configured"


def _not_notified(people: People) -> Sequence[StaffVerdict]:
    return [verdict for verdict in people.answer.verdicts if verdict.recipient is None]
