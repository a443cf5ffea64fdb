"""A ledger of values, and what a plan changes in it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.examples import NOW
from mastodon_update_check.domain.identities import identity
from mastodon_update_check.domain.notices import Notice
from mastodon_update_check.domain.outbox import Delivery, DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Plan, plan
from mastodon_update_check.domain.recipients import Recipient


@dataclass(slots=True)
class Rows:
    """A ledger of values: what plans and attempts make of the deliveries, and nothing else.

    Keys are those of the real ledger: one row for each identity and recipient key, which a plan takes up again only
    when it had been cancelled or superseded.
    """

    rows: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    now: datetime = NOW

    def plan(self, facts: Facts) -> Plan:
        """Plan, and keep the plan."""
        self.now, made = facts.now, plan(facts, tuple(self.rows.values()))
        self.apply(made)
        return made

    def apply(self, made: Plan) -> None:
        """Keep a plan."""
        for change in made.changes:
            place = change.identity, change.recipient_key
            state = DeliveryState.SUPERSEDED if change.reason.supersedes else DeliveryState.CANCELLED
            self.rows[place] = replace(self.rows[place], state=state)
        for one in made.redirections:
            for place, row in self.rows.items():
                if row.message_id == one.message_id and row.is_open:
                    self.rows[place] = replace(row, address=one.recipient.address)
                    if one.is_hurried:
                        self.rows[place] = replace(self.rows[place], tried_address="")
        for message in made.messages:
            for decision in message.decisions:
                row = delivery(decision.notice, message.recipient, message_id=message.id)
                place = row.identity, row.recipient_key
                if place not in self.rows or not self.rows[place].state.is_notified:
                    self.rows[place] = row

    def set(self, state: DeliveryState, **fields: str | bool | datetime) -> None:
        """Let every open row come to this state."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, state=state, **fields)  # type: ignore[arg-type] # as above

    def send(self, at: datetime | None = None) -> None:
        """Let every open row be accepted, by default at the instant of the last plan."""
        self.set(DeliveryState.SENT, notified_at=at or self.now)

    def refuse(self) -> None:
        """Let every open row be refused for good."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, state=DeliveryState.FAILED, tried_address=row.address)

    def claim(self) -> None:
        """Mark every open row as being sent."""
        for place, row in self.rows.items():
            if row.is_open:
                self.rows[place] = replace(row, is_being_sent=True)

    def states(self) -> dict[tuple[str, str], str]:
        """Return the state of each row."""
        return {place: str(row.state) for place, row in self.rows.items()}


def delivery(
    notice: Notice, recipient: Recipient, state: DeliveryState = DeliveryState.PENDING, message_id: str = "m"
) -> Delivery:
    """Return a row for this notice and recipient."""
    return Delivery(
        identity=identity(notice),
        notice=notice,
        recipient_key=recipient.key,
        address=recipient.address,
        sink=recipient.sink,
        state=state,
        message_id=message_id,
    )


def planned(made: Plan) -> list[tuple[str, str, str]]:
    """Return the planned notices: recipient, identity, reason."""
    return [
        (one.recipient.key, identity(one.notice), str(one.reason)) for sent in made.messages for one in sent.decisions
    ]


def changed(made: Plan) -> list[tuple[str, str, str]]:
    """Return which rows change, and why."""
    return [(change.recipient_key, change.identity, str(change.reason)) for change in made.changes]


Step = str | tuple[Facts | str, ...]
"""An event (`send`, `refuse`, `claim`), or facts and what their plan changes (`-`) and plans, each with its reason."""


def play(steps: Iterable[Step]) -> None:
    """Go through a sequence of checks and events, from an empty ledger."""
    rows = Rows()
    for step in steps:
        if isinstance(step, str):
            {"send": rows.send, "refuse": rows.refuse, "claim": rows.claim}[step]()
            continue
        known, *expected = step
        assert isinstance(known, Facts)
        made = rows.plan(known)
        assert [*(f"-{' '.join(one)}" for one in changed(made)), *map(" ".join, planned(made))] == expected
