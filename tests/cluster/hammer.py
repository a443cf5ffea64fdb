# ruff: noqa: S311, T201, TC003  # chance keeps no secret here; it prints a figure
"""`python hammer.py URL SECONDS SEED`: does to a ledger, as fast as it can, whatever a daemon does to it.

Several processes do so at once. Their clock is real, but runs so fast that leases run out in the middle of attempts;
releases are listed, withdrawn and turn urgent while others tell of them. Each prints the attempts that it made.
"""

import random
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ledger.examples import INSTANCE, SETTINGS, facts, judge, update
from mastodon_update_check.domain.planning import plan, subjects
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Bid
from mastodon_update_check.ledger.place import find_place
from mastodon_update_check.ledger.upkeep import KEPT

PACE = 100
"""Seconds of their clock in a second."""
SINKS = ("webhook", "email")
PEOPLE = tuple(
    Recipient(sink=sink, key=f"{sink}:{n}", address=f"{n}@social.example") for sink in SINKS for n in range(4)
)
BEGIN = datetime.now(UTC)
ERRORS: tuple[DeliveryError | None, ...] = (
    None,
    None,
    None,
    TransientDeliveryError("busy"),
    PermanentDeliveryError("no such user"),
)


class Hammer:
    """One process's way with the ledger."""

    def __init__(self, ledger: Ledger, host: str, chance: random.Random) -> None:
        self._ledger = ledger
        self._host = host
        self._chance = chance
        self.attempts = 0

    def strike(self) -> None:
        """Do something."""
        works: tuple[Callable[[], object], ...] = (self._check, self._look, *[self._deliver] * 4)
        self._chance.choice(works)()

    @property
    def _now(self) -> datetime:
        return BEGIN + (datetime.now(UTC) - BEGIN) * PACE

    def _check(self) -> None:
        newest = 8 + (self._now - BEGIN) // timedelta(minutes=1)
        listed = self._chance.sample(range(newest - 7, newest + 1), 4)
        known = facts(
            *(update(f"4.5.{n}", urgent=self._chance.random() < 0.3) for n in listed),
            to=self._chance.sample(PEOPLE, 6),
            now=self._now,
            follow_ups=FollowUps.ALL,
        )
        with self._ledger.writing() as book:
            about = subjects(known) | book.unclosed_subjects(INSTANCE, FollowUps.ALL)
            book.apply(INSTANCE, plan(known, book.deliveries(INSTANCE, about, known.now)))
            book.summary(INSTANCE, known.now)
            # What is over for a moment is dropped as if it were over for months.
            book.keep_knowledge(INSTANCE, book.knowledge(INSTANCE), known.now + KEPT)

    def _look(self) -> None:
        now = self._now
        self._ledger.beat(INSTANCE, now, self._host)
        self._ledger.take_turn(
            Bid(instance=INSTANCE, settings="", host=self._host, former="", now=now, longest=timedelta(hours=1))
        )
        self._ledger.summary(INSTANCE, now)
        self._ledger.next_due_at(INSTANCE, "webhook", now)
        waiting = [entry.message_id for entry in self._ledger.history(INSTANCE, now, is_undelivered=True)]
        self._ledger.hurry(INSTANCE, waiting, SINKS, now, is_started=True)

    def _deliver(self) -> None:
        sink = self._chance.choice(SINKS)
        claim = self._ledger.claim(INSTANCE, sink, SETTINGS, self._now, self._now)
        for _ in range(5):
            if claim is None:
                return
            claim = self._attempt(claim)
        if claim is not None:
            self._ledger.release(claim, self._now)

    def _attempt(self, claim: Claim) -> Claim | None:
        self.attempts += 1
        self._ledger.confirm(claim, self._now)
        time.sleep(self._chance.choice((0, 0, 0, 0.02, 0.15)))  # the last is longer than a lease
        self._ledger.renew(claim, self._now)
        settlement = judge(claim, self._chance.choice(ERRORS), self._now)
        settlement = replace(settlement, due_at=settlement.due_at and self._now)
        return self._ledger.go_on(claim, settlement, self._now, self._now, self._now)


def main(url: str, seconds: float, seed: int) -> None:
    """Go on for so many seconds."""
    end = time.monotonic() + seconds
    with Ledger.create(find_place(url)) as ledger:
        hammer = Hammer(ledger, f"node-{seed}", random.Random(seed))
        while time.monotonic() < end:
            hammer.strike()
    print(hammer.attempts)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
