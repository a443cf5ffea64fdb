"""Deliver: begin an attempt, compose the message, hand it to its sink, record the outcome; each sink in its own thread.

One process at a time delivers for a ledger. The next one closes attempts that a killed process left open as `unknown`
(`Ledger.close_open_attempts`), and sends their messages again with the same ids.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from mastodon_update_check.domain.outbox import Outcome, Settlement, settle
from mastodon_update_check.domain.text import clean, words_of
from mastodon_update_check.errors import DeliveryError, LedgerError, TransientDeliveryError, UpdateCheckError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.jobs.clock import Clock
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import hide_secrets, log
from mastodon_update_check.messages.context import MessageContext
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.discovery import Sink

ATTEMPT_LIMIT = timedelta(minutes=20)
"""How long one attempt may take; mail servers may take 10 minutes for their last reply (RFC 5321, 4.5.3.2.6).

A faster sink has an attribute `attempt_limit`, a timedelta."""
RECORD_PAUSE = timedelta(seconds=1)
"""How long to wait before an acceptance is recorded again."""


@dataclass(slots=True, eq=False)
class DeliveryWorker:
    """Delivers the messages of one sink, one after the other; used by one thread at a time."""

    sink_name: str
    load_sink: Callable[[], Sink]
    settings: str
    """Fingerprint of the sink's settings."""
    open_ledger: Callable[[], Ledger]
    describe: Callable[[Ledger], MessageContext]
    """Returns the content of a message that does not come from its notices."""
    clock: Clock
    only_to: str = ""
    """The key of the only recipient that the sink leads to; empty when it delivers to any address."""
    secrets: Sequence[str] = ()
    """Texts that are removed from replies: the options of a sink of another package."""
    is_extra: bool = False
    """Whether it helps another worker of the same sink, and ends when nothing is due."""
    record_pause: timedelta = RECORD_PAUSE
    record_tries: float = float("inf")
    """How often to try to record an acceptance; a command does not wait without limit."""
    problem: str = ""
    """Why the last run ended early; empty when it did not."""
    sent: int = 0
    is_stopping: bool = False
    """Set by another thread: finish the attempt in progress, and begin no other."""
    current: Attempt | None = None
    ends_at: float = field(default=float("inf"))
    """When the attempt in progress is past its limit, by the monotonic clock."""
    _sink: Sink | None = None

    def load(self) -> Sink:
        """Return the sink, loaded when it is first needed. Raises `SettingsError` when it cannot be loaded."""
        if self._sink is None:
            self._sink = self.load_sink()
        return self._sink

    def run(self, due_by: Callable[[], datetime]) -> None:
        """Try every message that is due at `due_by`; `problem` says afterwards why it ended early."""
        self.problem = ""
        try:
            with self.open_ledger() as ledger:
                self.deliver_due(ledger, due_by)
        except LedgerError as error:
            self.problem = str(error)
            log.error("ledger.failed", sink=self.sink_name, detail=self.problem)
        except BaseException as error:  # noqa: BLE001 - a bug in one sink must not end the deliveries of the others
            self.problem = f"deliveries by {self.sink_name} crashed: {type(error).__name__}: {words_of(error)}"
            log.critical("delivery.crashed", sink=self.sink_name, detail=self.problem)

    def deliver_due(self, ledger: Ledger, due_by: Callable[[], datetime]) -> None:
        """Make attempts at all messages that are due at `due_by`, which is called before each attempt.

        The next attempt begins in the transaction that records the outcome of the one before, so nothing is sent
        before that is durable.

        Raises:
            LedgerError: the ledger cannot be used; nothing is sent without a record.
        """
        try:
            attempt = None if self.is_stopping else self._begin(ledger, due_by())
            while attempt is not None:
                attempt = self._try(ledger, attempt, due_by)
        finally:
            self._close()

    def _begin(self, ledger: Ledger, due_by: datetime) -> Attempt | None:
        return ledger.begin_attempt(self.sink_name, self.settings, self.clock(), due_by, only_to=self.only_to)

    def next_due_at(self, ledger: Ledger, now: datetime) -> datetime | None:
        """Return when there is something to do next."""
        return ledger.next_due_at(self.sink_name, now, only_to=self.only_to)

    def _close(self) -> None:
        """Let the sink close its connection."""
        close = getattr(self._sink, "close", None)
        if close is not None:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - code of another package; every result is recorded by now
                detail = f"close(): {type(error).__name__}: {words_of(error)}"
                log.critical("delivery.crashed", sink=self.sink_name, detail=detail)

    def _try(self, ledger: Ledger, attempt: Attempt, due_by: Callable[[], datetime]) -> Attempt | None:
        """Make an attempt; return the next one, if there is one."""
        self.current, self.ends_at = attempt, time.monotonic() + self._limit().total_seconds()
        try:
            error, reply = self._send(ledger, attempt)
        finally:
            self.current, self.ends_at = None, float("inf")
        now = self.clock()
        settlement = settle_attempt(attempt, error, reply, now)
        settlement = replace(settlement, reply=shown(hide_secrets(settlement.reply), self.secrets))
        following = self._record(ledger, attempt, settlement, now, due_by)
        self.sent += settlement.outcome is Outcome.SENT
        log_attempt(attempt, settlement)
        return following

    def _send(self, ledger: Ledger, attempt: Attempt) -> tuple[DeliveryError | None, str]:
        """Hand the message over; any other exception counts as a transient failure."""
        part = "the message could not be written"
        try:
            message = self._compose(ledger, attempt)
            part = "the sink broke"
            reply = self.load().send(message)
        except LedgerError:
            raise
        except DeliveryError as error:
            return error, ""
        except UpdateCheckError as error:
            return TransientDeliveryError(clean(str(error))), ""
        except BaseException as error:  # noqa: BLE001 - a sink that breaks, or exits, must not stop the others
            return TransientDeliveryError(f"{part}: {type(error).__name__}: {words_of(error)}"), ""
        return None, clean(reply) if isinstance(reply, str) else ""

    def _limit(self) -> timedelta:
        """Return the time limit of one attempt: the sink's own, at most `ATTEMPT_LIMIT`."""
        limit = getattr(self._sink, "attempt_limit", None)
        return min(limit, ATTEMPT_LIMIT) if isinstance(limit, timedelta) else ATTEMPT_LIMIT

    def _compose(self, ledger: Ledger, attempt: Attempt) -> Message:
        from mastodon_update_check.messages.compose import compose
        from mastodon_update_check.translations import load_translation

        return compose(
            id=attempt.message_id,
            recipient=attempt.recipient,
            notices=attempt.notices,
            created_at=attempt.created_at,
            dated_at=attempt.dated_at,
            context=replace(self.describe(ledger), translation=load_translation(attempt.recipient.locale)),
        )

    def _record(
        self,
        ledger: Ledger,
        attempt: Attempt,
        settlement: Settlement,
        now: datetime,
        due_by: Callable[[], datetime],
    ) -> Attempt | None:
        """Record the outcome and begin the next attempt; at best in one transaction."""
        if not self.is_stopping:
            with suppress(LedgerError):  # possibly only the next message cannot be read
                return ledger.record_and_begin(attempt, settlement, now, self.clock(), due_by(), only_to=self.only_to)
        self._record_patiently(ledger, attempt, settlement, now)
        return None if self.is_stopping else self._begin(ledger, due_by())

    def _record_patiently(self, ledger: Ledger, attempt: Attempt, settlement: Settlement, now: datetime) -> None:
        """Record the outcome. An acceptance is recorded before anything else is sent, even on a full disk."""
        tries = 0
        while True:
            try:
                return ledger.record(attempt, settlement, now)
            except LedgerError as error:
                tries += 1
                if settlement.outcome is not Outcome.SENT or tries >= self.record_tries:
                    raise
                if tries == 1:
                    log.error("ledger.failed", sink=self.sink_name, detail=f"accepted, but not recorded yet: {error}")
                self.problem = str(error)
            time.sleep(self.record_pause.total_seconds())


def settle_attempt(attempt: Attempt, error: DeliveryError | None, reply: str, now: datetime) -> Settlement:
    """Decide what follows from an attempt that ended now."""
    return settle(
        error,
        reply,
        failures=attempt.failures,
        sink_failures=attempt.sink_failures,
        now=now,
        spread=random.random(),  # noqa: S311 - spreads load, keeps no secret
    )


def log_attempt(attempt: Attempt, settlement: Settlement) -> None:
    """Log the outcome of an attempt in one line; user names, no addresses."""
    level = {Outcome.SENT: "info", Outcome.DEFERRED: "warning"}.get(settlement.outcome, "error")
    details = {
        "sink": attempt.recipient.sink,
        "to": attempt.recipient.name or attempt.recipient.key.partition(":")[0],
        "message_id": attempt.message_id,
        "attempt": attempt.number,
        "reply": settlement.reply,
    }
    if settlement.outcome is not Outcome.SENT:
        details["next_at"] = settlement.due_at and settlement.due_at.isoformat(timespec="seconds")
    getattr(log, level)(f"delivery.{settlement.outcome}", **details)
