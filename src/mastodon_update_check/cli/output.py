"""Output that commands share: exit codes, words, JSON."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from enum import IntEnum

from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.staff import StaffVerdict
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.messages.content import long_date
from mastodon_update_check.terminal import say


class Exit(IntEnum):
    """Exit codes (sysexits.h)."""

    DONE = 0
    FAILED = 1
    INCOMPLETE = 75


def describe_end_of_support(branch: str, ends_on: date, now: datetime) -> str:
    """Write until when a branch is, or was, supported."""
    return f"Support for {branch} {'ended' if ends_on < now.date() else 'ends'} on {long_date(ends_on)}."


def name_recipient(recipient: Recipient, address: str = "") -> str:
    """Write `alice <alice@social.example>`, or what there is of it; `address` replaces the recipient's own."""
    at = address or recipient.address
    return f"{recipient.name} <{at}>" if recipient.name and at else recipient.name or at


def describe_verdict(verdict: StaffVerdict) -> str:
    """Write `alice (Moderator): cannot view devops`."""
    role = f" ({verdict.user.role})" if verdict.user.role else ""
    return f"{verdict.user.name}{role}: {verdict.reason.replace('_', ' ')}"


def print_answer(arguments: Namespace, data: Mapping[str, object], lines: Iterable[str]) -> None:
    """Print one JSON object with `--json`, else lines for a person."""
    if arguments.json:
        print_json(data)
    else:
        for line in lines:
            say(line)


def pick(value: object, *names: str) -> dict[str, object]:
    """Return some attributes of a value for `print_json`; an empty text becomes null."""
    found = {name: getattr(value, name) for name in names}
    return {name: (hide_secrets(each) or None) if isinstance(each, str) else each for name, each in found.items()}


def print_json(data: Mapping[str, object]) -> None:
    """Write one JSON object to standard output; in ASCII where that is not UTF-8, as JSON must be (RFC 8259, 8.1)."""

    def write(value: object) -> str:
        return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)

    json.dump(data, sys.stdout, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", default=write)
    sys.stdout.write("\n")
