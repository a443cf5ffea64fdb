"""Years: ten years of half-hourly checks, a release a week and five recipients, each told by mail.

The server installs each release three days after it is out. The clock is simulated and nothing goes over a network;
every check reads, plans, stores and prunes as a real one does. The ledger lies in memory (`/dev/shm`), since 175,200
checks would wait for a disk for an hour; its size is the same there.
"""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bench.claim import Amount, Claim
from bench.stage import Stage
from mastodon_update_check.domain.facts import Facts
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.outbox import settle
from mastodon_update_check.domain.planning import plan, subjects
from mastodon_update_check.domain.recipients import FollowUps, Recipient
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.ledger import Ledger

WEEK = 7 * 48
CHECKS = 10 * 365 * 48
LIMIT_MB = 10.0
LIMIT = 1.2
BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
INSTANCE = "social.example"
PEOPLE = tuple(
    Recipient(sink="email", key=f"user:{n}", address=f"user{n}@social.example", name=f"user{n}") for n in range(5)
)


def measure_size(_: Stage, __: int = 1) -> Amount:
    """Measure the ledger's file after ten years."""
    _times, size = _ten_years()
    return Amount(
        name="years",
        what=f"the ledger after {CHECKS:,} checks, {CHECKS // WEEK} releases, {len(PEOPLE)} recipients",
        unit="MB",
        figure=size / 1e6,
        limit=LIMIT_MB,
    )


def measure_pace(_: Stage, __: int = 1) -> Claim:
    """Compare the checks of the third week (the first ones fill caches) with those of the last, one by one."""
    times, _size = _ten_years()
    last = (CHECKS // WEEK - 1) * WEEK
    return Claim(
        name="pace",
        our_name="a check of the last week of ten years",
        reference_name="the same check of the third week",
        unit="ms",
        pairs=tuple(zip(times[2 * WEEK : 3 * WEEK], times[last : last + WEEK], strict=True)),
        limit=LIMIT,
    )


@cache
def _ten_years() -> tuple[list[float], int]:
    """Return what each check took, in milliseconds, and the size of the ledger's file, its side file included."""
    memory = Path("/dev/shm")  # noqa: S108 - a directory of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        path = Path(directory, "ledger.sqlite3")
        with Ledger.create(path) as ledger:
            times = [_check(ledger, number) for number in range(CHECKS)]
            return times, sum(file.stat().st_size for file in path.parent.iterdir())


def _check(ledger: Ledger, number: int) -> float:
    week, within = divmod(number, WEEK)
    is_installed = within >= WEEK * 3 // 7
    listed = () if is_installed else (UpdateNotice(version=_version(week + 1)),)
    facts = Facts(
        instance=INSTANCE,
        now=BEGIN + number * timedelta(minutes=30),
        installed=_version(week + is_installed),
        feed=Feed(updates=listed),
        recipients=PEOPLE,
        sink_settings={"email": "fingerprint"},
    )
    began = time.perf_counter()
    known = ledger.knowledge(INSTANCE)
    with ledger.writing() as book:
        book.summary(INSTANCE, facts.now)
        about = subjects(facts) | book.unclosed_subjects(INSTANCE, FollowUps.URGENT)
        book.apply(INSTANCE, plan(facts, book.deliveries(INSTANCE, about, facts.now)))
        assert facts.installed is not None
        book.keep_knowledge(INSTANCE, known.succeeded(facts.now, facts.installed, facts.feed, ()), facts.now)
    took = (time.perf_counter() - began) * 1000
    _deliver(ledger, facts.now)
    return took


def _deliver(ledger: Ledger, now: datetime) -> None:
    while (claim := ledger.claim(INSTANCE, "email", "fingerprint", now, now)) is not None:
        accepted = settle(None, "250 2.0.0 Ok: queued as 4bXyZ", failures=0, sink_failures=0, now=now, spread=0.5)
        ledger.record(claim, accepted, now)


def _version(number: int) -> MastodonVersion:
    return MastodonVersion.parse(f"4.5.{number}")
