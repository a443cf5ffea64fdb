"""`recipients`: all recipients, the notices that each one gets, and why."""

from argparse import Namespace
from collections.abc import Sequence

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import Exit, load_app, print_json
from mastodon_update_check.cli.terminal import print_table, say
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.jobs.recipients import People, find_people
from mastodon_update_check.ledger.ledger import Ledger


def execute(arguments: Namespace) -> int:
    """List them; exit 1 when Mastodon's database could not be asked."""
    app = load_app(arguments)
    people = find_people(app.settings, _remembered(app))
    if arguments.json:
        print_json(_to_json(people))
    else:
        _print(people)
    return Exit.FAILED if people.answer.error is not None else Exit.DONE


def _remembered(app: App) -> tuple[Recipient, ...]:
    if not app.ledger_location.exists():
        return ()
    with Ledger.open(app.ledger_location, app.settings.instance) as ledger:
        return ledger.state().devops


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
            {"name": verdict.name, "role": verdict.role or None, "reason": str(verdict.reason)}
            for verdict in _not_told(people)
        ],
        "warnings": list(people.warnings),
        "error": str(people.answer.error) if people.answer.error else None,
    }


def _print(people: People) -> None:
    if people.answer.error is not None:
        say(f"Mastodon's database could not be asked for the DevOps users: {people.answer.error}.")
    rows: list[tuple[str, ...]] = [("SINK", "RECIPIENT", "RELEASES", "SUPPORT", "OPERATOR", "REASON")]
    rows += [_row(recipient) for recipient in people.recipients]
    print_table(rows)
    not_told = _not_told(people)
    if not_told:
        print("\nNot notified:")
        for verdict in not_told:
            say(f"{verdict.name}{f' ({verdict.role})' if verdict.role else ''}: {_words(verdict.reason)}", rest="  ")
    for warning in people.warnings:
        say(f"Warning: {warning}.")


def _row(recipient: Recipient) -> tuple[str, ...]:
    named = f"{recipient.name} <{recipient.address}>" if recipient.name else recipient.address
    return (
        recipient.sink,
        named or "-",
        str(recipient.preference),
        "yes" if recipient.wants_support else "no",
        "yes" if recipient.is_operator else "no",
        _reason(recipient),
    )


def _reason(recipient: Recipient) -> str:
    if recipient.key.startswith("user:"):
        return f"{recipient.role} can view DevOps" if recipient.role else "can view DevOps"
    return "named in the settings" if recipient.address else "configured"


def _not_told(people: People) -> Sequence[StaffVerdict]:
    return [verdict for verdict in people.answer.verdicts if verdict.recipient is None]


def _words(reason: str) -> str:
    return reason.replace("_", " ")
