"""PostgreSQL goes away under daemons in the middle of deliveries, and comes back, or another takes its place."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.crew import Crew, account
from cluster.mailbox import AFTER, BEFORE
from ledger.places import DATABASE, ROLE, postgres_place, query, url
from mastodon_update_check.ledger.postgres_address import PostgresAddress
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from simulators.http_server import Raw, Reply
from simulators.postgres import Postgres, Standby

HOSTS = ("node-1", "node-2", "node-3")
LOOK = 30.0
"""Within this, all of them must be at work again."""
WATCHDOG = 60.0
"""What the unit says (`WatchdogSec`)."""


@pytest.fixture
def primary() -> Iterator[Postgres]:
    """Return a server of this test's own, which keeps what it has acknowledged."""
    with Postgres(durable=True) as server:
        yield server


def pids(crew: Crew) -> list[int]:
    """Return the daemons' processes, none of which may have ended."""
    assert [None] * len(crew.processes) == [process.poll() for process in crew.processes.values()]
    return [process.pid for process in crew.processes.values()]


def wait_until_said(crew: Crew) -> None:
    """Wait until each node's operator can see, in log and status line, that the ledger is away, and in `status`."""
    for host in crew.processes:
        crew.wait_event(host, "ledger.failed")
        crew.wait_status(host, "the ledger cannot be used: PostgreSQL at")
    finished = crew.run("node-1", "status")
    assert (74, 1, 1) == (finished.returncode, finished.stdout.count("\n"), finished.stderr.count("\n"))
    assert "the ledger cannot be used: PostgreSQL at" in finished.stdout


def wait_until_well(crew: Crew) -> None:
    """Wait until each node says that the ledger is back."""
    for host in crew.processes:
        crew.wait_event(host, "delivery.recovered")
        crew.wait_status(host, "Mastodon 4.5.0")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("at_once", "seconds"), [(False, 3), (True, 12)], ids=["fast", "immediate"])
def test_restart(primary: Postgres, tmp_path: Path, *, at_once: bool, seconds: int) -> None:
    """Shut down in the middle of deliveries, for less and for longer than a lease: all go on by themselves."""
    with postgres_place(primary) as place, Crew(tmp_path, place, url(primary, place.address.schema)) as crew:
        crew.start(*HOSTS)
        crew.tell("4.5.1")
        began, known = pids(crew), set(crew.mailbox.accepted)
        holds = crew.publish_and_hold("4.5.2", AFTER, BEFORE)
        primary.stop(at_once=at_once)
        accepted = len(crew.mailbox.accepted)
        for hold in holds:
            hold.may_go_on.set()
        wait_until_said(crew)
        time.sleep(seconds)
        assert len(crew.mailbox.accepted) <= accepted  # nothing is sent that could not be written down
        primary.start()
        crew.wait_told(known, "4.5.2")
        wait_until_well(crew)
        crew.tell("4.5.3")
        allowed = Counter(hold.key for hold in holds if hold.key is not None)
        _, lost, outside = account(crew, 3, allowed)

        assert ([], [], began) == (lost, outside, pids(crew))


@pytest.mark.timeout(300)
def test_a_check_that_the_ledger_was_away_for(primary: Postgres, tmp_path: Path) -> None:
    """It is made up for when the ledger is back, not an interval later."""
    with postgres_place(primary) as place, Crew(tmp_path, place, url(primary, place.address.schema)) as crew:
        crew.environment["UPDATE_CHECK_INTERVAL"] = "1h"

        def answer() -> Iterator[bytes]:
            primary.stop()
            yield Reply(500).encode()

        crew.updates.fail(Raw(answer()))
        crew.start("node-1")
        crew.wait_event("node-1", "check.failed")
        wait_until_said(crew)
        crew.updates.recover()
        crew.updates.publish("4.5.1")
        primary.start()
        crew.wait_told((), "4.5.1", 2 * LOOK)


@pytest.mark.timeout(300)
def test_a_server_that_freezes(primary: Postgres, tmp_path: Path) -> None:
    """It keeps nobody waiting for so long that systemd would restart the daemon, which goes on when the server does."""
    with postgres_place(primary) as place, Crew(tmp_path, place, url(primary, place.address.schema)) as crew:
        crew.start(*HOSTS[:2])
        crew.tell("4.5.1")
        began, known = pids(crew), set(crew.mailbox.accepted)
        (hold,) = crew.publish_and_hold("4.5.2", AFTER)
        with primary.frozen():
            hold.may_go_on.set()
            wait_until_said(crew)
            time.sleep(60)
            gaps = [gap for host in crew.processes for gap in crew.gaps_between_feedings(host)]
        crew.wait_told(known, "4.5.2")
        wait_until_well(crew)
        _, lost, outside = account(crew, 2, Counter(hold.key for hold in (hold,) if hold.key is not None))

        assert ([], [], began) == (lost, outside, pids(crew))
        assert max(gaps) < WATCHDOG


def sent(place: PostgresPlace) -> set[str]:
    """Return the ids of the messages that a ledger takes for sent."""
    return {key for (key,) in query(place, "SELECT id FROM message WHERE state = 'sent'")}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_behind", [False, True], ids=["up to date", "behind"])
@pytest.mark.parametrize("has_same_address", [False, True], ids=["both are named", "at the same address"])
def test_failover(primary: Postgres, tmp_path: Path, *, is_behind: bool, has_same_address: bool) -> None:
    """A standby takes over in the middle of deliveries: what it does not know of comes once more, with the same id."""
    with postgres_place(primary) as there:  # makes the database; the ledger is made by the daemons
        pass
    with Standby(primary) as standby:
        ports = primary.port if has_same_address else f"{primary.port},{standby.port}"
        hosts = "127.0.0.1" if has_same_address else "127.0.0.1,127.0.0.1"
        ledger = (
            f"postgresql://{ROLE}:right@/{DATABASE}?host={hosts}&port={ports}&target_session_attrs=read-write"
            f"&schema={there.address.schema}"
        )
        place = PostgresPlace(PostgresAddress.parse(ledger, "UPDATE_CHECK_LEDGER"))
        with Crew(tmp_path, place, ledger) as crew:
            crew.start(*HOSTS)
            crew.tell("4.5.1")
            began = pids(crew)
            standby.wait_for_primary()
            if is_behind:
                standby.stop_following()
            known = set(crew.mailbox.accepted)
            holds = crew.publish_and_hold("4.5.2", AFTER, BEFORE)
            crew.wait(lambda: len(crew.told(known)) == len(crew.people) - 1, "all but one to be told")
            primary.stop(at_once=True)
            for hold in holds:
                hold.may_go_on.set()
            wait_until_said(crew)
            if has_same_address:
                standby.move_to(primary.port)
            standby.promote()
            unknown = {key for key in crew.mailbox.accepted if key[1] not in sent(place)}
            crew.wait_told(known, "4.5.2")
            wait_until_well(crew)
            crew.tell("4.5.3")
            repeats, lost, outside = account(crew, 3, Counter(unknown))

            assert ([], [], began) == (lost, outside, pids(crew))
            assert (repeats > len(crew.people) / 2) == is_behind
