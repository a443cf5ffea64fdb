"""Two versions of the program on one ledger, as while one machine is upgraded after the other."""

from collections import Counter
from pathlib import Path

import pytest

from cluster.crew import Crew, account
from cluster.mailbox import AFTER, BEFORE
from cluster.versions import write_newer
from ledger.places import query
from mastodon_update_check.ledger.schema import SCHEMA_VERSION

HOSTS = ("node-1", "node-2", "node-3")
VERSION = "SELECT value FROM meta WHERE key = 'schema'"
NEWER = [(str(SCHEMA_VERSION + 1),)]


@pytest.mark.timeout(300)
def test_rolling_upgrade_and_back(crew: Crew, tmp_path: Path) -> None:
    """Where the newer tables allow it, older daemons go on, and go on after a downgrade: all is told once."""
    newer = write_newer(tmp_path, is_compatible=True)
    crew.start(*HOSTS)
    crew.tell("4.5.1")
    known = set(crew.mailbox.accepted)
    holds = crew.publish_and_hold("4.5.2", AFTER, BEFORE)
    idle = next(host for host in HOSTS if crew.processes[host].pid not in {hold.pid for hold in holds})
    assert 0 == crew.stop(idle)
    crew.start(idle, PYTHONPATH=newer)
    crew.wait(lambda: query(crew.place, VERSION) == NEWER, "the newer tables")
    for hold in holds:
        hold.may_go_on.set()
    crew.wait_told(known, "4.5.2")
    crew.tell("4.5.3")
    for host in HOSTS:
        if host != idle:
            assert 0 == crew.stop(host)
            crew.start(host, PYTHONPATH=newer)
    crew.tell("4.5.4")
    for host in HOSTS[:2]:
        assert 0 == crew.stop(host)
        crew.start(host)
    crew.tell("4.5.5")

    assert (0, [], []) == account(crew, 5, {})
    assert [] == [event for host in HOSTS for event in crew.events(host, "ledger.failed")]


@pytest.mark.timeout(300)
def test_tables_that_older_programs_cannot_use(crew: Crew, tmp_path: Path) -> None:
    """Older daemons hand nothing more over, though in the middle of it, and say why; the newer one tells everybody."""
    newer = write_newer(tmp_path, is_compatible=False)
    crew.start(*HOSTS[:2])
    crew.tell("4.5.1")
    known = set(crew.mailbox.accepted)
    holds = crew.publish_and_hold("4.5.2", AFTER, BEFORE)
    crew.start("node-3", PYTHONPATH=newer)
    crew.wait(lambda: query(crew.place, VERSION) == NEWER, "the newer tables")
    older = [process for host, process in crew.processes.items() if host != "node-3"]
    for hold in holds:
        hold.may_go_on.set()
    for host in HOSTS[:2]:
        crew.wait_event(host, "ledger.failed")
        crew.wait_status(host, "the ledger in PostgreSQL at ")
        said = {event["detail"].partition("; ")[0] for event in crew.events(host, "ledger.failed")}
        assert all("newer version of this program" in one and "upgrade this program" in one for one in said), said
    crew.wait_told(known, "4.5.2")
    assert [None, None] == [process.poll() for process in older]
    finished = crew.run("node-1", "status")
    assert (74, True) == (finished.returncode, "upgrade this program" in finished.stdout)
    assert 0 == crew.stop("node-1")
    crew.start("node-1", PYTHONPATH=newer)
    crew.tell("4.5.3")
    _, lost, outside = account(crew, 3, Counter(hold.key for hold in holds if hold.key is not None))

    assert ([], []) == (lost, outside)
    assert 74 == crew.run("node-2", "run").returncode
