"""Ownership: one process at a time plans and delivers; the next one takes over when it has ended."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.examples import ALICE, BOB, INSTANCE, NOW, facts, update
from ledger.locations import postgres_location, query, url
from ledger.steps import accept, defer, find_attempt, hurry, leave, record_heartbeat, replan, take
from mastodon_update_check.daemon.owner import RENEWAL_SECONDS, LedgerOwner
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import OwnershipLostError
from mastodon_update_check.ledger.engine import stamp
from mastodon_update_check.ledger.lease import LEASE, Lease
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from mastodon_update_check.ledger.sqlite import SqliteLocation
from simulators.postgres import Postgres

if TYPE_CHECKING:
    from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")


@pytest.fixture
def location(postgres: Postgres) -> Iterator[PostgresLocation]:
    """Return a ledger in PostgreSQL without an owner."""
    with postgres_location(postgres) as location:
        location.create()
        yield location


@contextmanager
def leasing(location: PostgresLocation, host: str) -> Iterator[Lease]:
    """Return a node's means to own a ledger."""
    lease = location.ownership(host)
    try:
        yield lease
    finally:
        lease.close()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_of_many_only_one_becomes_the_owner(engine: str, path: Path, request: pytest.FixtureRequest) -> None:
    """A fresh ledger that several processes create and want to own at the same moment."""
    with ExitStack() as stack:
        location: Location = SqliteLocation(path)
        if engine == "postgresql":
            location = stack.enter_context(postgres_location(request.getfixturevalue("postgres")))
        won: list[bool] = []
        barrier = threading.Barrier(5)

        def begin(number: int) -> None:
            barrier.wait()
            location.create()
            ownership = location.ownership(f"web{number}")
            won.append(ownership.acquire(is_daemon=True))
            barrier.wait()
            ownership.release()

        threads = [threading.Thread(target=begin, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(won) == [False, False, False, False, True]


def lease_left(location: PostgresLocation) -> timedelta:
    """Return for how long the lease is still valid, by the server's clock."""
    ((until, now),) = query(location, "SELECT CAST(until_at AS timestamptz), clock_timestamp() FROM owner")
    assert isinstance(until, datetime)
    assert isinstance(now, datetime)
    return until - now


def pass_time(location: PostgresLocation, seconds: float) -> None:
    """Let the lease be older than it is."""
    until = datetime.now(UTC) + lease_left(location) - timedelta(seconds=seconds)
    query(location, "UPDATE owner SET until_at = ?", until.isoformat(timespec="milliseconds"))


def test_lease_is_valid_for_twenty_seconds(location: PostgresLocation) -> None:
    """By the server's clock; a renewal extends it; when it has run out, another node takes over."""
    with leasing(location, "web1") as first, leasing(location, "web2") as second:
        assert first.acquire(is_daemon=True)
        assert timedelta(seconds=15) < lease_left(location) <= LEASE == timedelta(seconds=20)
        assert not second.acquire(is_daemon=True)
        pass_time(location, 15)
        assert lease_left(location) < timedelta(seconds=5)
        assert first.renew()
        assert lease_left(location) > timedelta(seconds=15)
        owner = second.owner()
        assert owner is not None
        assert (owner.host, owner.is_daemon) == ("web1", True)

        pass_time(location, 21)
        assert second.owner() is None
        assert second.acquire(is_daemon=False)
        assert not first.renew()
        assert second.renew()


def test_lease_that_ran_out_is_renewed_while_no_other_node_wants_it(location: PostgresLocation) -> None:
    """A node that was frozen continues with its token."""
    with leasing(location, "web1") as lease:
        assert lease.acquire(is_daemon=True)
        token = lease.token
        pass_time(location, 3600)

        assert lease.renew()
        assert lease.token == token


def test_lease_is_released(location: PostgresLocation) -> None:
    """Another node need not wait; the former owner's release then changes nothing."""
    with leasing(location, "web1") as first, leasing(location, "web2") as second:
        assert first.acquire(is_daemon=True)
        first.release()
        assert not first.renew()
        assert second.acquire(is_daemon=True)
        first.release()

        assert second.renew()


def test_lease_is_renewed_during_a_long_write(location: PostgresLocation) -> None:
    """The supervisor does not wait for its children."""
    with leasing(location, "web1") as lease:
        assert lease.acquire(is_daemon=True)
        with Ledger.open(replace(location, token=lease.token), INSTANCE) as ledger, ledger.writing():
            assert lease.renew()


def keep_state(ledger: Ledger) -> None:
    """Store a state, as a check does."""
    with ledger.writing() as transaction:
        transaction.keep_state(ServerState(failures=1), NOW)


WRITES: list[tuple[str, Callable[[Ledger], object]]] = [
    ("a plan", lambda ledger: replan(ledger, facts(PATCH, update("4.5.2"), to=(ALICE, BOB)))),
    ("a state", keep_state),
    ("a new attempt", find_attempt),
    ("closing open attempts", lambda ledger: ledger.close_open_attempts(NOW)),
    ("a retry", lambda ledger: hurry(ledger, [row.message_id for row in ledger.history()], ["email"])),
]


@pytest.mark.parametrize("has_owned", [False, True])
def test_process_with_a_lost_token_changes_nothing(location: PostgresLocation, *, has_owned: bool) -> None:
    """Every write of the owner fails, and so does a failed attempt; an acceptance is recorded: it is the truth."""
    with leasing(location, "web1") as lease:
        assert lease.acquire(is_daemon=True)
        with Ledger.open(replace(location, token=lease.token), INSTANCE) as ledger:
            replan(ledger, facts(PATCH, to=(ALICE, BOB)))
            deferred, accepted = take(ledger), take(ledger)
        query(location, "UPDATE owner SET token = 'of another node'")
        tables = ("message", "delivery", "attempt", "instance", "sink")
        before = [query(location, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables]  # noqa: S608 - ours
        with Ledger.open(replace(location, token=lease.token if has_owned else ""), INSTANCE) as late:
            for name, write in (*WRITES, ("a failed attempt", lambda ledger: defer(ledger, deferred))):
                with pytest.raises(OwnershipLostError, match="another process owns the ledger in PostgreSQL at"):
                    write(late)
                assert [query(location, f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables] == before, name  # noqa: S608
            accept(late, accepted)

    assert query(location, "SELECT state FROM message WHERE id = ?", accepted.message_id) == [("sent",)]


def test_nodes_are_shown_with_their_owner(location: PostgresLocation) -> None:
    """Any node gives its heartbeat; one that was stopped is removed."""
    with leasing(location, "web1") as lease, Ledger.open(location, INSTANCE) as ledger:
        assert lease.acquire(is_daemon=True)
        ((now,),) = query(location, "SELECT clock_timestamp()")
        assert isinstance(now, datetime)
        for host in ("web1", "web2", "web3"):
            record_heartbeat(ledger, host, now)
        leave(ledger, "web3")

        assert [(node.host, node.is_owner) for node in ledger.nodes(now)] == [("web1", True), ("web2", False)]
        assert [node.is_owner for node in ledger.nodes(now + 2 * LEASE)] == [False, False]


def test_lease_is_kept_on_a_machine_whose_disk_fails(
    postgres: Postgres, location: PostgresLocation, tmp_path: Path
) -> None:
    """The lock file of this machine is for commands alone: without it the lease is renewed all the same."""
    presence = tmp_path / "state" / "social.example.lock"
    prepared = {"presence": str(presence), "instance": INSTANCE, "ledger": url(postgres, location.schema)}
    owner = LedgerOwner(prepared)
    try:
        assert (owner.keep(), owner.is_owner) == ("", True)
        presence.parent.rename(tmp_path / "elsewhere")
        presence.parent.touch()
        query(location, "UPDATE owner SET until_at = ?", stamp(datetime.now(UTC) + timedelta(seconds=1)))
        owner._renewed_at -= RENEWAL_SECONDS
        assert (owner.keep(), owner.is_owner) == ("", True)
        assert query(location, "SELECT 1 FROM owner WHERE until_at > ?", stamp(datetime.now(UTC) + LEASE / 2)) == [(1,)]
    finally:
        owner.leave()
        assert owner._session is not None
        owner._session.close()
