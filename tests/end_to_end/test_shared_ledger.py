"""Commands with a ledger in PostgreSQL; `tests/cluster/test_commands.py` has the rest, and what can be wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from end_to_end.shared import sharing
from end_to_end.world import World
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Bid
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from simulators.postgres import Postgres


@pytest.fixture
def place(world: World, postgres: Postgres) -> Iterator[PostgresPlace]:
    """Return where the world's ledger will be."""
    with sharing(world, postgres) as place:
        yield place


def test_every_command(world: World, place: PostgresPlace) -> None:
    """They do what they do with a file, and leave the same exit codes."""
    rehearsed = world.run("check", "--dry-run", "--json")
    assert ((0, 1, 0, 0, 0), [], False) == (rehearsed.result, world.mails, place.exists())
    assert (0, 1, 1, 0, 0) == world.check().result
    assert (0, 0, 0, 0, 0) == world.check().result
    assert (1, 1) == (world.run("status").code, len(world.mails))
    assert "ops@social.example" in world.run("recipients").out
    doctor = world.run("doctor")
    assert (0, True) == (doctor.code, "ok       ledger                the ledger in PostgreSQL is sound" in doctor.out)
    assert "attempt 1" in world.run("explain", "4.5.20").out
    assert "Told:\n  4.5.20" in world.run("explain", "ops@social.example").out
    assert 0 == world.run("send-test").code
    assert 0 == world.run("skip", "4.5.20").code
    assert ["4.5.20"] == world.run("status", "--json").json["skipped"]
    assert 0 == world.run("skip", "--undo", "4.5.20").code


def test_who_is_at_work(world: World, place: PostgresPlace) -> None:
    """`status` names the nodes, when each was last seen and who checks; `doctor` speaks of this one."""
    now = datetime.now(UTC)
    with Ledger.create(place) as ledger:
        for host, age in {"node-1": 0, "node-2": 20, "node-3": 3600}.items():
            ledger.beat("social.example", now - timedelta(seconds=age), host)
        ledger.take_turn(
            Bid(instance="social.example", settings="", host="node-2", former="", now=now, longest=timedelta(hours=1))
        )
    answer = world.run("status", "--json").json
    expected = [("node-1", True, False), ("node-2", True, True), ("node-3", False, False)]
    assert expected == [(one["host"], one["alive"], one["checks"]) for one in answer["nodes"]]
    assert abs(now - datetime.fromisoformat(answer["nodes"][0]["last_beat_at"])) < timedelta(seconds=1)
    assert (False, None) == (answer["alive"], answer["last_beat_at"])
    text = world.run("status").out
    assert "not at work on this machine: `systemctl start mastodon-update-check`, so that it can step in" in text
    assert "  node-1: at work\n" in text
    assert "  node-2: at work, checks\n" in text
    assert "  node-3: silent since " in text
    said = "is not at work on this machine, only on node-1, node-2: start it here, to step in for them"
    assert said in world.run("doctor").out
