"""Years: ten years of half-hourly checks, a release a week and five recipients, each notified by mail.

The server installs each release three days after its publication. The clock is simulated, and there is no network.
Each check reads, plans, stores and prunes as a real one does. The ledger is in memory (`/dev/shm`), because 175,200
commits to a disk take an hour; its size is the same there.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bench.figure import Amount, Ratio
from bench.stage import Stage
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.outbox import settle
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import plan, subjects
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation

WEEK = 7 * 48
CHECKS = 10 * 365 * 48
LIMIT_MB = 10.0
LIMIT = 1.2
BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
INSTANCE = "social.example"
PEOPLE = tuple(
    Recipient(sink="email", key=f"user:{n}", address=f"user{n}@social.example", name=f"user{n}") for n in range(5)
)


def measure_size(_: Stage) -> Amount:
    """Measure the ledger's files after ten years."""
    _times, size = _ten_years()
    return Amount(
        ours=f"the ledger after {CHECKS:,} checks, {CHECKS // WEEK} releases, {len(PEOPLE)} recipients",
        unit="MB",
        amount=size / 1e6,
        limit=LIMIT_MB,
    )


def measure_pace(_: Stage) -> Ratio:
    """Compare the checks of the third week (the first ones fill caches) with those of the last, one by one."""
    times, _size = _ten_years()
    last = (CHECKS // WEEK - 1) * WEEK
    return Ratio(
        ours="a check of the last week of ten years",
        reference="the same check of the third week",
        unit="ms",
        pairs=tuple(zip(times[2 * WEEK : 3 * WEEK], times[last : last + WEEK], strict=True)),
        limit=LIMIT,
    )


@cache
def _ten_years() -> tuple[list[float], int]:
    """Return the milliseconds that each check took, and the size of the ledger's files."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        path = Path(directory, "ledger.sqlite3")
        with Ledger.create(SqliteLocation(path), INSTANCE) as ledger:
            times = [_check(ledger, number) for number in range(CHECKS)]
            return times, sum(file.stat().st_size for file in path.parent.iterdir())


def _check(ledger: Ledger, number: int) -> float:
    week, within = divmod(number, WEEK)
    is_installed = within >= WEEK * 3 // 7
    listed = () if is_installed else (UpdateNotice(version=_version(week + 1)),)
    installed, now = _version(week + is_installed), BEGIN + number * timedelta(minutes=30)
    facts = Facts(
        instance=INSTANCE,
        now=now,
        known=ServerState(),
        installed=installed,
        feed=Feed(updates=listed),
        recipients=PEOPLE,
        sinks={"email": "fingerprint"},
    )
    began = time.perf_counter()
    with ledger.writing() as transaction:
        known = transaction.state()
        transaction.summary(now, ("email",))
        about = subjects(facts) | transaction.unclosed_subjects(facts.closure)
        transaction.apply(plan(facts, transaction.deliveries(about)))
        transaction.keep_state(known.succeeded(now, installed, facts.feed, ()), now)
    took = (time.perf_counter() - began) * 1000
    _deliver(ledger, now)
    return took


def _deliver(ledger: Ledger, now: datetime) -> None:
    attempt = ledger.begin_attempt("email", "fingerprint", now, now)
    while attempt is not None:
        accepted = settle(None, "250 2.0.0 Ok: queued as 4bXyZ", failures=0, sink_failures=0, now=now, spread=0.5)
        attempt = ledger.record_and_begin(attempt, accepted, now, now, now)


def _version(number: int) -> MastodonVersion:
    return MastodonVersion.parse(f"4.5.{number}")
