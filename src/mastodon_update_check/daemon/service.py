"""The workers of one configuration, one for each sink."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from mastodon_update_check.app import App
from mastodon_update_check.daemon.sight import Sight
from mastodon_update_check.daemon.worker import Worker
from mastodon_update_check.errors import LedgerError, TurnLostError, UpdateCheckError
from mastodon_update_check.jobs.lease import keeping_turn
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Taken, Turn
from mastodon_update_check.logs import log

CHECK_LIMIT = timedelta(minutes=5)
"""How long one check may take: its questions have bounds of their own that add up to less."""

TURN_SLACK = timedelta(seconds=5)
"""How late a check may begin before another node takes it over."""


class Service:
    """What delivers by one set of settings; a reload makes another one, while this one finishes what it has in hand."""

    def __init__(self, app: App, on_change: Callable[[], None], former: "Service | None" = None) -> None:
        """`former` is the service that this one takes over from.

        Raises `LedgerError` and `SettingsError` when it cannot work.
        """
        self.app = app
        self.is_blind = False
        """Whether the last check found that only a new process can see Mastodon's tree again."""
        self.is_behind = False
        """Whether the last check could not be made because of the ledger."""
        root = app.settings.mastodon_root
        self.sight: Sight = former.sight.of(root) if former else Sight(root)
        self._is_stopping = False
        self._goodbye: threading.Thread | None = None
        """Says that the whole daemon stops."""
        with app.create_ledger() as ledger:
            couriers = app.couriers(ledger)
        for courier in couriers:
            courier.load()
        self._workers = tuple(Worker(courier, on_change) for courier in couriers)

    def start(self) -> None:
        """Begin to deliver what is due."""
        for worker in self._workers:
            worker.start()

    def check(self, settings_trouble: str, next_check_at: Callable[[], datetime | None]) -> str | Taken:
        """Run one check and say what came of it to who watches this daemon; return what kept it from running.

        A check that fails has run: what it fails at is in the ledger. When it is another node's turn, nothing is run,
        and that is returned.
        """
        heartbeat, failure, waiting_since = self.app.heartbeat, "", None
        self.is_behind = False
        try:
            with self.app.operations.running("check", CHECK_LIMIT), self.app.open_ledger() as ledger:
                turn = self.app.take_turn(ledger)
                if isinstance(turn, Taken):
                    return turn
                heartbeat.begin()
                warnings = heartbeat.warnings
                before = ledger.knowledge(self.app.settings.instance)
                with self._holding(turn, ledger, next_check_at):
                    report = self.app.check(ledger, settings_trouble=settings_trouble, warnings=warnings, turn=turn)
                self.is_blind = self.sight.is_lost(report.knowledge, before)
                waiting_since = self.app.summary(ledger).waiting_since
                self.app.publish(ledger)
                failure = str(report.error or "; ".join(self.troubles()))
                trouble = ""
        except TurnLostError as error:
            log.warning("check.overtaken", detail=str(error))
            return ""
        except UpdateCheckError as error:
            failure = trouble = str(error)
            self.is_behind = isinstance(error, LedgerError)
            log.error("check.failed", detail=trouble)
        except Exception as error:  # noqa: BLE001 - a bug must not end the checks; it is said, and shows in STATUS
            failure = trouble = f"the check crashed: {type(error).__name__}: {error}"
            log.critical("check.crashed", detail=trouble)
        if self._goodbye is None:  # what a planned stop cuts short has not failed
            heartbeat.finish(failure, waiting_since, self.app.clock())
        return trouble

    @contextmanager
    def _holding(self, turn: Turn, ledger: Ledger, next_check_at: Callable[[], datetime | None]) -> Iterator[None]:
        """Keep the turn while the check lasts and, whatever comes of that, until the next one should have begun."""
        with keeping_turn(turn, self.app.open_ledger, self.app.clock):
            try:
                yield
            finally:
                with suppress(LedgerError):  # then another node takes the turn over a little sooner
                    until = (next_check_at() or self.app.clock()) + TURN_SLACK
                    ledger.keep_turn(turn, until, checking=False)

    def say_goodbye(self) -> None:
        """Tell the ledger and the monitoring service that this is planned, beside whatever else a stop takes."""
        self._goodbye = threading.Thread(target=self._say_goodbye, name="goodbye", daemon=True)
        self._goodbye.start()

    def _say_goodbye(self) -> None:
        try:
            with self.app.open_ledger() as ledger:
                ledger.leave(self.app.settings.instance, self.app.host)
        except LedgerError as error:
            log.error("ledger.failed", detail=str(error))
        self.app.heartbeat.stop()

    def wake(self) -> None:
        """Look at once whether something is due."""
        for worker in self._workers:
            worker.wake()

    def wake_due(self) -> None:
        """Wake the workers that have something due, which somebody may have asked for by `retry`.

        Raises:
            LedgerError: the ledger cannot be used.
        """
        now = self.app.clock()
        with self.app.open_ledger() as ledger:
            for worker in self._workers:
                due_at = worker.courier.next_due_at(ledger, now)
                if due_at is not None and due_at <= now:
                    worker.wake()

    def stop(self) -> None:
        """Begin nothing new; what is in hand goes on."""
        self._is_stopping = True
        for worker in self._workers:
            worker.stop()

    def drain(self, until: float) -> None:
        """Wait, until an instant of the monotonic clock, for the attempts in hand to end; release those that do not."""
        for worker in self._workers:
            if not worker.join(until - time.monotonic()):
                self._release(worker)
        if self._goodbye is not None:
            self._goodbye.join(max(until - time.monotonic(), 0))

    @property
    def is_over(self) -> bool:
        """Whether it was stopped, and has nothing in hand any more, no check either."""
        is_idle = self.app.operations.is_idle and not any(worker.is_alive for worker in self._workers)
        return self._is_stopping and is_idle

    def defects(self) -> tuple[str, ...]:
        """Return what is past its own time-out, and which threads have died that must run."""
        dead = () if self._is_stopping else tuple(worker.name for worker in self._workers if not worker.is_alive)
        return self.app.operations.overdue() + dead

    def troubles(self) -> tuple[str, ...]:
        """Return what keeps workers from working, in sentences."""
        return tuple(worker.trouble for worker in self._workers if worker.trouble)

    def _release(self, worker: Worker) -> None:
        """Give back what a worker has in hand: nobody knows what will have come of it."""
        claim = worker.courier.claim
        if claim is None:
            return
        log.warning("delivery.released", sink=worker.courier.sink_name, message_id=claim.message_id)
        try:
            with self.app.open_ledger() as ledger:
                ledger.release(claim, self.app.clock())
        except LedgerError as error:
            # Not lost: the lease runs out by itself.
            log.error("ledger.failed", detail=str(error))
