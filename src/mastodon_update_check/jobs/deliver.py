"""Deliver: claim one due message, compose it, hand it to its sink, record what came of it."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.outbox import LEASE_RENEWAL, Outcome, Settlement, settle
from mastodon_update_check.domain.text import clean, words_of
from mastodon_update_check.errors import (
    ClaimLostError,
    DeliveryError,
    LedgerError,
    TransientDeliveryError,
    UpdateCheckError,
)
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.jobs.lease import LeaseKeeper, confirm
from mastodon_update_check.jobs.operations import Operations
from mastodon_update_check.ledger.claims import Claim
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import log
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import Message
from mastodon_update_check.messages.translation import ENGLISH, Translation
from mastodon_update_check.sinks.base import Sink

ATTEMPT_LIMIT = timedelta(minutes=20)
"""How long one attempt may take; mail servers may take 10 minutes for their last reply (RFC 5321, 4.5.3.2.6).

A sink that knows itself to be quicker says so: `attempt_limit`, a timedelta."""
RECORD_TRIES = 5
LONGEST_SLEEP = timedelta(seconds=60)
"""How long a worker sleeps at most: another process may have planned something meanwhile."""
SHARED_SLEEP = timedelta(seconds=15)
"""The same where other machines plan, too, one of which may have died before it sent what it planned."""


@dataclass(slots=True)
class Courier:
    """Delivers the messages of one sink, one after the other; used by one thread.

    `claim` is what it has in hand at this moment, for the one who has to stop it.
    """

    sink_name: str
    load_sink: Callable[[], Sink]
    settings: str
    """Fingerprint of the sink's settings."""
    instance: str
    open_ledger: Callable[[], Ledger]
    describe: Callable[[Ledger], MessageContext]
    """Tells what a message says besides its notices."""
    clock: Clock
    operations: Operations
    only_to: str = ""
    """The key of the only recipient that the sink leads to; empty when it delivers to any address."""
    find_words: Callable[[str], Translation] = lambda _: ENGLISH
    """Tells the language for a recipient's locale."""
    renewal: timedelta = LEASE_RENEWAL
    """How often the lease of a claim is renewed."""
    record_patience: timedelta = timedelta(seconds=1)
    """How long to wait before trying again to record an acceptance."""
    longest_sleep: timedelta = LONGEST_SLEEP
    """How long it may go without looking whether something is due."""
    claim: Claim | None = None
    _sink: Sink | None = None
    _unrecorded: tuple[Claim, Settlement, datetime] | None = None
    """An acceptance that the ledger could not take."""

    @property
    def pause(self) -> timedelta:
        """How long to wait after the ledger could not be used.

        What was accepted is to be recorded before its lease has run out, and others, who wait as well, send it again.
        """
        return self.longest_sleep if self._unrecorded is None else self.record_patience

    def load(self) -> Sink:
        """Return the sink, loaded when it is first needed.

        Raises:
            SettingsError: it cannot be loaded.
        """
        if self._sink is None:
            self._sink = self.load_sink()
        return self._sink

    @property
    def owes_the_ledger(self) -> bool:
        """Whether something was accepted that the ledger could not take yet: after a restart it would go out again."""
        return self._unrecorded is not None

    def deliver_due(
        self, ledger: Ledger, due_by: Callable[[], datetime], may_go_on: Callable[[], bool]
    ) -> list[Outcome]:
        """Make one attempt after the other at what was due at `due_by`; return what each came to.

        The next message is claimed in the very transaction that records what came of the one before, so that nothing
        is sent before that is durable.

        Args:
            ledger: where the messages are.
            due_by: asked before each claim.
            may_go_on: asked before each claim, too.

        Raises:
            LedgerError: the ledger cannot be used; what cannot be recorded is not sent.
        """
        if self._unrecorded is not None:
            self._record_once(ledger, *self._unrecorded)
        outcomes: list[Outcome] = []
        with LeaseKeeper(self.sink_name, self.open_ledger, self.clock, self.renewal) as keeper:
            try:
                self.claim = self._claim_next(ledger, due_by()) if may_go_on() else None
                while self.claim is not None:
                    outcome, self.claim = self._attempt(ledger, self.claim, keeper, due_by, may_go_on)
                    outcomes.append(outcome)
            finally:
                self.claim = None
        return outcomes

    def _claim_next(self, ledger: Ledger, due_by: datetime) -> Claim | None:
        return ledger.claim(self.instance, self.sink_name, self.settings, self.clock(), due_by, only_to=self.only_to)

    def next_due_at(self, ledger: Ledger, now: datetime) -> datetime | None:
        """Return when there is something to do next."""
        return ledger.next_due_at(self.instance, self.sink_name, now, only_to=self.only_to)

    def close(self) -> None:
        """Let the sink end a connection that it keeps."""
        close = getattr(self._sink, "close", None)
        if close is not None:
            close()

    def _attempt(
        self,
        ledger: Ledger,
        claim: Claim,
        keeper: LeaseKeeper,
        due_by: Callable[[], datetime],
        may_go_on: Callable[[], bool],
    ) -> tuple[Outcome, Claim | None]:
        """Make an attempt; return what it came to, and the next message in hand if there is to be another one."""
        with self.operations.running(f"delivery by {self.sink_name}", self._limit()), keeper.keeping(claim):
            try:
                error, reply = self._send(ledger, claim)
            except ClaimLostError:
                log.warning("delivery.lost", sink=self.sink_name, message_id=claim.message_id, attempt=claim.attempt)
                return Outcome.UNKNOWN, self._claim_next(ledger, due_by()) if may_go_on() else None
            now = self.clock()
            settlement = settle(
                error,
                reply,
                failures=claim.failures,
                sink_failures=claim.sink_failures,
                now=now,
                spread=random.random(),  # noqa: S311 - spreads load, keeps no secret
            )
            following = self._record(ledger, claim, settlement, now, due_by if may_go_on() else None)
        _log_attempt(claim, settlement)
        return settlement.outcome, following

    def _send(self, ledger: Ledger, claim: Claim) -> tuple[DeliveryError | None, str]:
        """Hand the message over; what breaks besides counts as a failure that may pass."""
        part = "the message could not be written"
        try:
            message = self._compose(ledger, claim)
            part = "the sink broke"
            confirm(claim, ledger, self.clock)
            reply = self.load().send(message)
        except (ClaimLostError, LedgerError):
            raise
        except DeliveryError as error:
            return error, ""
        except UpdateCheckError as error:
            return TransientDeliveryError(clean(str(error))), ""
        except BaseException as error:  # noqa: BLE001 - a sink that breaks, or leaves, must not stop the others
            return TransientDeliveryError(f"{part}: {type(error).__name__}: {words_of(error)}"), ""
        return None, clean(reply) if isinstance(reply, str) else ""

    def _limit(self) -> timedelta:
        """Return how long one attempt may take: what the sink says, within our own bound."""
        limit = getattr(self._sink, "attempt_limit", None)
        return min(limit, ATTEMPT_LIMIT) if isinstance(limit, timedelta) else ATTEMPT_LIMIT

    def _compose(self, ledger: Ledger, claim: Claim) -> Message:
        from mastodon_update_check.messages.compose import compose

        message = compose(
            id=claim.message_id,
            recipient=claim.recipient,
            notices=claim.notices,
            created_at=claim.created_at,
            context=replace(self.describe(ledger), translation=self.find_words(claim.recipient.locale)),
        )
        return replace(message, confirm_claim=lambda: confirm(claim, ledger, self.clock))

    def _record(
        self,
        ledger: Ledger,
        claim: Claim,
        settlement: Settlement,
        now: datetime,
        due_by: Callable[[], datetime] | None,
    ) -> Claim | None:
        """Record what came of it and, with `due_by`, claim what is next; at best in one transaction."""
        if settlement.outcome is Outcome.SENT:
            self._unrecorded = (claim, settlement, now)
        if due_by is None:
            self._record_patiently(ledger, claim, settlement, now)
            return None
        with suppress(LedgerError):  # perhaps it is only the next message that cannot be read
            following = ledger.go_on(claim, settlement, now, self.clock(), due_by())
            self._unrecorded = None
            return following
        self._record_patiently(ledger, claim, settlement, now)
        return self._claim_next(ledger, due_by())

    def _record_patiently(self, ledger: Ledger, claim: Claim, settlement: Settlement, now: datetime) -> None:
        """Record what came of it; an acceptance is worth waiting for a ledger that is busy or full just now.

        One that cannot be recorded is remembered, and recorded before anything else is sent.
        """
        if settlement.outcome is Outcome.SENT:
            for _ in range(RECORD_TRIES - 1):
                with suppress(LedgerError):
                    return self._record_once(ledger, claim, settlement, now)
                time.sleep(self.record_patience.total_seconds())
        return self._record_once(ledger, claim, settlement, now)

    def _record_once(self, ledger: Ledger, claim: Claim, settlement: Settlement, now: datetime) -> None:
        ledger.record(claim, settlement, now)
        self._unrecorded = None


def _log_attempt(claim: Claim, settlement: Settlement) -> None:
    level = {Outcome.SENT: "info", Outcome.DEFERRED: "warning"}.get(settlement.outcome, "error")
    details = {
        "sink": claim.recipient.sink,
        "to": claim.recipient.name or claim.recipient.key.partition(":")[0],
        "message_id": claim.message_id,
        "attempt": claim.attempt,
        "reply": settlement.reply,
    }
    if settlement.outcome is not Outcome.SENT:
        details["next_at"] = settlement.due_at and settlement.due_at.isoformat(timespec="seconds")
    getattr(log, level)(f"delivery.{settlement.outcome}", **details)
