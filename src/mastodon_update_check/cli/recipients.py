"""`recipients`: all recipients, the notices that each one gets, and why."""

from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.output import Exit, describe_verdict, name_recipient, pick, print_json
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.terminal import print_table, progress, say


def execute(app: App, arguments: Namespace) -> int:
    """List them; exit 1 when Mastodon's database could not be asked."""
    with app.find_ledger() as ledger, progress("Asking Mastodon's database"):
        people = find_people(app.settings, ledger.state().devops)
    others = [verdict for verdict in people.answer.verdicts if verdict.recipient is None]
    if arguments.json:
        print_json(_to_json(people, others))
    else:
        _print(people, others)
    return Exit.FAILED if people.answer.error is not None else Exit.DONE


def _to_json(people: People, others: Sequence[StaffVerdict]) -> dict[str, object]:
    return {
        "recipients": [
            {
                **pick(recipient, "sink", "name", "address", "role", "preference"),
                "support": recipient.wants_support,
                "operator": recipient.is_operator,
                "reason": _reason(recipient),
            }
            for recipient in people.recipients
        ],
        "not_told": [{**pick(one.user, "name", "role"), "reason": one.reason} for one in others],
        "warnings": people.warnings,
        "error": str(people.answer.error) if people.answer.error else None,
    }


def _print(people: People, others: Sequence[StaffVerdict]) -> None:
    if people.answer.error is not None:
        say(f"Mastodon's database could not be asked for the DevOps users: {people.answer.error}.")
    rows = [("SINK", "RECIPIENT", "RELEASES", "SUPPORT", "OPERATOR", "REASON")]
    for one in people.recipients:
        support, operator = ("yes" if has else "no" for has in (one.wants_support, one.is_operator))
        rows.append((one.sink, name_recipient(one) or "-", str(one.preference), support, operator, _reason(one)))
    print_table(rows)
    if others:
        print("\nNot notified:")
    for line in (*map(describe_verdict, others), *(f"Warning: {warning}." for warning in people.warnings)):
        say(line)


def _reason(recipient: Recipient) -> str:
    if recipient.key.startswith("user:"):
        return f"{recipient.role} can view DevOps" if recipient.role else "can view DevOps"
    return "named in the settings" if recipient.address else "configured"
