"""The ledger: what has been decided, what has been told, what is waiting. Durable before anything is sent."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mastodon_update_check.domain.outbox import Delivery, Settlement
from mastodon_update_check.domain.server_state import ServerState
from mastodon_update_check.ledger import (
    claims,
    follow_ups,
    history,
    nodes,
    results,
    retries,
    rows,
    summary,
)
from mastodon_update_check.ledger.book import Book, find_knowledge, read_knowledge
from mastodon_update_check.ledger.claims import Claim, OvertakenError
from mastodon_update_check.ledger.engine import Place, Session
from mastodon_update_check.ledger.failures import reading
from mastodon_update_check.ledger.history import Acquaintance, Entry
from mastodon_update_check.ledger.nodes import Bid, Node, Taken, Turn
from mastodon_update_check.ledger.sqlite import FilePlace
from mastodon_update_check.ledger.summary import OutboxSummary

if TYPE_CHECKING:
    from mastodon_update_check.domain.recipients import FollowUps


class Ledger:
    """One connection to the ledger, used by one thread.

    Every method raises `LedgerError` when the ledger cannot be used; whatever it was about to change is then as it
    was before.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known = ("", ServerState())
        """What was last read about an instance, as it is written and as it is: it may name a thousand people."""

    @classmethod
    def open(cls, where: Place | Path, *, verify: bool = True) -> Self:
        """Open an existing ledger; `verify` looks for damage first. A path stands for the file there."""
        return cls(_place(where).open(verify=verify))

    @classmethod
    def create(cls, where: Place | Path) -> Self:
        """Open a ledger, and create it if there is none."""
        place = _place(where)
        if not place.exists():
            place.create()
        return cls.open(place)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[Book]:
        """Hold the one write transaction, durably committed at the end, or rolled back by any exception."""
        with self._session.writing() as connection:
            yield Book(connection)

    def claim(
        self, instance: str, sink: str, settings: str, now: datetime, due_by: datetime, *, only_to: str = ""
    ) -> Claim | None:
        """Claim the next message of a sink that was due at `due_by`; None when there is none.

        With `only_to`, the sink leads to the recipient with this key alone.
        """
        while True:
            with suppress(OvertakenError), self._session.working() as connection:
                instants = connection.correct(now), connection.correct(due_by)
                return claims.claim_next(connection, instance, sink, settings, only_to, *instants)

    def go_on(
        self, claim: Claim, settlement: Settlement, ended_at: datetime, now: datetime, due_by: datetime
    ) -> Claim | None:
        """Write down what came of an attempt, and claim the sink's next message, both or neither.

        What `record` and `claim` do one after the other, with one commit instead of two.
        """
        while True:
            with suppress(OvertakenError), self._session.working() as connection:
                results.record_attempt(connection, claim, settlement, ended_at)
                sink = claim.recipient.sink
                instants = connection.correct(now), connection.correct(due_by)
                return claims.claim_next(connection, claim.instance, sink, claim.settings, claim.only_to, *instants)

    def confirm(self, claim: Claim, now: datetime) -> bool:
        """Make sure that a claim stands with a lease of which little has passed; False when the claim is lost."""
        with self._session.reading() as connection:
            is_fresh = claims.confirm_claim(connection, claim, connection.correct(now))
        return is_fresh or self.renew(claim, now)

    def renew(self, claim: Claim, now: datetime) -> bool:
        """Extend a claim's lease; False when the claim is lost."""
        with self._session.working() as connection:
            return claims.renew_claim(connection, claim, connection.correct(now))

    def release(self, claim: Claim, now: datetime) -> None:
        """Give a message back whose attempt was cut short."""
        with self._session.working() as connection:
            claims.release_claim(connection, claim, now)

    def record(self, claim: Claim, settlement: Settlement, now: datetime) -> None:
        """Write down what came of an attempt."""
        with self._session.working() as connection:
            results.record_attempt(connection, claim, settlement, now)

    def knowledge(self, instance: str) -> ServerState:
        """Return what is known about the instance."""
        with self._session.reading() as connection:
            written = find_knowledge(connection, instance)
            if written != self._known[0]:
                self._known = written, read_knowledge(written)
        return self._known[1]

    def deliveries(self, instance: str, subjects: Iterable[str], now: datetime) -> tuple[Delivery, ...]:
        """Return the instance's open rows, and all rows of the given subjects."""
        with self._session.reading() as connection:
            return rows.read_deliveries(connection, instance, subjects, connection.correct(now))

    def unclosed_subjects(self, instance: str, closure: "FollowUps") -> frozenset[str]:
        """Return the subjects of which somebody may have to be told that they are installed."""
        with self._session.reading() as connection:
            return follow_ups.unclosed_subjects(connection, instance, closure)

    def summary(self, instance: str, now: datetime, sinks: Collection[str] | None = None) -> OutboxSummary:
        """Count what is not delivered yet, by the sinks that are configured if they are given."""
        with self._session.reading() as connection:
            return summary.summarise(connection, instance, now, sinks)

    def next_due_at(self, instance: str, sink: str, now: datetime, *, only_to: str = "") -> datetime | None:
        """Return when a sink has something to do next; `only_to` as for `claim`."""
        with self._session.reading() as connection:
            return summary.next_due_at(connection, instance, sink, only_to, now)

    def history(
        self, instance: str, now: datetime, *, subject: str = "", recipient_key: str = "", is_undelivered: bool = False
    ) -> tuple[Entry, ...]:
        """Return rows with their attempts, oldest first."""
        with self._session.reading() as connection:
            return history.read_history(
                connection,
                instance,
                now,
                subject=subject,
                recipient_key=recipient_key,
                is_undelivered=is_undelivered,
            )

    def acquaintances(self, instance: str) -> tuple[Acquaintance, ...]:
        """Return everybody whom the ledger has rows for."""
        with self._session.reading() as connection:
            return history.read_acquaintances(connection, instance)

    def hurry(
        self, instance: str, message_ids: Collection[str], sinks: Collection[str], now: datetime, *, is_started: bool
    ) -> int:
        """Make messages, and sinks that wait, due now; with `is_started` also sinks that were stopped for good."""
        with self._session.writing() as connection:
            retries.wake_sinks(connection, instance, sinks, is_started=is_started)
            return retries.hurry_messages(connection, message_ids, now)

    def instances(self) -> tuple[str, ...]:
        """Return the names of all instances that the ledger knows."""
        with self._session.reading() as connection:
            found = connection.execute("SELECT name FROM instance ORDER BY name").fetchall()
        return tuple(row["name"] for row in found)

    def fingerprint(self, text: str) -> str:
        """Return what tells two settings apart without saying what they are: salted for this ledger alone."""
        with self._session.reading() as connection, reading("the salt"):
            salt = connection.execute("SELECT value FROM meta WHERE key = 'salt'").fetchone()["value"]
        return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()[:16]

    def beat(self, instance: str, now: datetime, host: str = "") -> None:
        """Leave the sign of life of the daemon on a host."""
        with self._session.working() as connection:
            nodes.beat(connection, instance, host, now)

    def leave(self, instance: str, host: str) -> None:
        """Take the sign of life back: the daemon there has been stopped."""
        with self._session.working() as connection:
            nodes.leave(connection, instance, host)

    def nodes(self, instance: str, now: datetime) -> tuple[Node, ...]:
        """Return the daemons that were not stopped, whether they still live or not."""
        with self._session.reading() as connection:
            return nodes.read_nodes(connection, instance, connection.correct(now))

    def take_turn(self, bid: Bid) -> Turn | Taken:
        """Take the turn to check, or say who has it until when."""
        with self._session.working() as connection:
            return nodes.take_turn(connection, bid, connection.correct(bid.now))

    def keep_turn(self, turn: Turn, until: datetime, *, checking: bool) -> bool:
        """Keep the turn, in the middle of a check or between two; False when it is lost."""
        with self._session.working() as connection:
            return nodes.keep_turn(connection, turn, connection.correct(until), checking=checking)

    def last_beat_at(self, instance: str, host: str = "") -> datetime | None:
        """Return when the daemon on a host last gave a sign of life; without one, any daemon."""
        with self._session.reading() as connection:
            return nodes.last_beat_at(connection, instance, host)


def _place(where: Place | Path) -> Place:
    return FilePlace(where) if isinstance(where, Path) else where
