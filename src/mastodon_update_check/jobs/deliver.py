"""Deliver: begin an attempt, compose the message, hand it to its sink, record the outcome; each sink in its own thread.

One process at a time delivers for a ledger. The next one closes attempts that a killed process left open as `unknown`
(`Ledger.close_open_attempts`), and sends their messages again with the same ids.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from mastodon_update_check.domain.outbox import Outcome, Settlement, settle
from mastodon_update_check.domain.text import clean, words_of
from mastodon_update_check.errors import DeliveryError, LedgerError, TransientDeliveryError, UpdateCheckError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.ledger.attempts import Attempt
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.logs import hide_secrets, log
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.sinks.discovery import Sink

ATTEMPT_LIMIT = timedelta(minutes=20)
"""How long one attempt may take; mail servers may take 10 minutes for their last reply (RFC 5321, 4.5.3.2.6).

A faster sink has an attribute `attempt_limit`, a timedelta."""
RECORD_TRIES = 5
"""How often a command tries to record an acceptance; the daemon does not stop trying."""
_NEVER = float("inf")


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
    clock: Callable[[], datetime]
    due_by: datetime | None = None
    """Try once what was due then, as a command does; None: what is due when an attempt begins."""
    only_to: str = ""
    """The key of the only recipient that the sink leads to; empty when it delivers to any address."""
    secrets: Sequence[str] = ()
    """Texts that are removed from replies: the options of a sink of another package."""
    is_extra: bool = False
    """Whether it helps another worker of the same sink, and ends when nothing is due."""
    record_pause: timedelta = timedelta(seconds=1)
    """How long to wait before an acceptance is recorded again."""
    problem: str = ""
    """Why the last run ended early; empty when it did not."""
    sent: int = 0
    is_stopping: bool = False
    """Set by another thread: finish the attempt in progress, and begin no other."""
    current: Attempt | None = None
    ends_at: float = _NEVER
    """When the attempt in progress is past its limit, by the monotonic clock."""
    _sink: Sink | None = None

    def run(self) -> None:
        """Try every message that is due; `problem` says afterwards why it ended early."""
        self.problem = ""
        try:
            with self.open_ledger() as ledger:
                self.deliver_due(ledger)
        except LedgerError as error:
            self.problem = str(error)
            log.error("ledger.failed", sink=self.sink_name, detail=self.problem)
        except BaseException as error:  # noqa: BLE001 - a bug in one sink must not end the deliveries of the others
            self.problem = f"deliveries by {self.sink_name} crashed: {type(error).__name__}: {words_of(error)}"
            log.critical("delivery.crashed", sink=self.sink_name, detail=self.problem)

    def deliver_due(self, ledger: Ledger) -> None:
        """Make attempts at all messages that are due.

        The next attempt begins in the transaction that records the outcome of the one before, so nothing is sent
        before that is durable. Raises `LedgerError` when the ledger cannot be used; nothing is sent without a record.
        """
        try:
            attempt = self._begin(ledger)
            while attempt is not None:
                attempt = self._try(ledger, attempt)
        finally:
            try:
                getattr(self._sink, "close", lambda: None)()
            except Exception as error:  # noqa: BLE001 - code of another package; every result is recorded by now
                detail = f"close(): {type(error).__name__}: {words_of(error)}"
                log.critical("delivery.crashed", sink=self.sink_name, detail=detail)

    def give_up(self, ledger: Ledger) -> None:
        """Record that the attempt in progress takes too long; for another thread, which is about to end the process."""
        attempt, now = self.current, self.clock()
        if attempt is not None:
            error = TransientDeliveryError("took longer than it may", sink_wide=True, may_have_arrived=True)
            settlement = _settle(attempt, error, "", now)
            ledger.record(attempt, settlement, now)
            _log_attempt(attempt, settlement)

    def _begin(self, ledger: Ledger) -> Attempt | None:
        if self.is_stopping:
            return None
        now = self.clock()
        return ledger.begin_attempt(self.sink_name, self.settings, now, self.due_by or now, only_to=self.only_to)

    def _try(self, ledger: Ledger, attempt: Attempt) -> Attempt | None:
        """Make an attempt; return the next one, if there is one."""
        limit = getattr(self._sink, "attempt_limit", None)
        limit = min(limit, ATTEMPT_LIMIT) if isinstance(limit, timedelta) else ATTEMPT_LIMIT
        self.current, self.ends_at = attempt, time.monotonic() + limit.total_seconds()
        try:
            error, reply = self._send(ledger, attempt)
        finally:
            self.current, self.ends_at = None, _NEVER
        now = self.clock()
        settlement = _settle(attempt, error, reply, now)
        settlement = replace(settlement, reply=shown(hide_secrets(settlement.reply), self.secrets))
        following = self._record(ledger, attempt, settlement, now)
        self.sent += settlement.outcome is Outcome.SENT
        _log_attempt(attempt, settlement)
        return following

    def _send(self, ledger: Ledger, attempt: Attempt) -> tuple[DeliveryError | None, str]:
        """Compose and hand over the message; any other exception counts as a transient failure."""
        from mastodon_update_check.messages.compose import compose
        from mastodon_update_check.translations import load_translation

        part = "the message could not be written"
        try:
            translation = load_translation(attempt.recipient.locale)
            message = compose(
                id=attempt.message_id,
                recipient=attempt.recipient,
                notices=attempt.notices,
                created_at=attempt.created_at,
                dated_at=attempt.dated_at,
                context=replace(self.describe(ledger), translation=translation),
            )
            part = "the sink broke"
            if self._sink is None:
                self._sink = self.load_sink()
            reply = self._sink.send(message)
        except LedgerError:
            raise
        except DeliveryError as error:
            return error, ""
        except UpdateCheckError as error:
            return TransientDeliveryError(clean(str(error))), ""
        except BaseException as error:  # noqa: BLE001 - a sink that breaks, or exits, must not stop the others
            return TransientDeliveryError(f"{part}: {type(error).__name__}: {words_of(error)}"), ""
        return None, clean(reply) if isinstance(reply, str) else ""

    def _record(self, ledger: Ledger, attempt: Attempt, settlement: Settlement, ended_at: datetime) -> Attempt | None:
        """Record the outcome and begin the next attempt, at best in one transaction.

        An acceptance is recorded before anything else is sent, even on a full disk.
        """
        if not self.is_stopping:
            now = self.clock()
            due_by = self.due_by or now
            with suppress(LedgerError):  # possibly only the next message cannot be read
                return ledger.record_and_begin(attempt, settlement, ended_at, now, due_by, only_to=self.only_to)
        for tries in count(1):
            try:
                ledger.record(attempt, settlement, ended_at)
                break
            except LedgerError as error:
                is_last = self.due_by is not None and tries == RECORD_TRIES
                if settlement.outcome is not Outcome.SENT or is_last:
                    raise
                if tries == 1:
                    log.error("ledger.failed", sink=self.sink_name, detail=f"accepted, but not recorded yet: {error}")
                self.problem = str(error)
            time.sleep(self.record_pause.total_seconds())
        return self._begin(ledger)


def _settle(attempt: Attempt, error: DeliveryError | None, reply: str, now: datetime) -> Settlement:
    return settle(
        error,
        reply,
        failures=attempt.failures,
        sink_failures=attempt.sink_failures,
        now=now,
        spread=random.random(),  # noqa: S311 - spreads load, keeps no secret
    )


def _log_attempt(attempt: Attempt, settlement: Settlement) -> None:
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
