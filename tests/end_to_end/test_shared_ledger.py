"""Commands with a ledger in PostgreSQL: alone, and beside the daemons of two machines. `make cluster` has failures."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.cluster import RECIPIENTS, Cluster
from end_to_end.databases import sharing
from end_to_end.world import World
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from simulators.collector import Manner
from simulators.postgres import Postgres


@pytest.fixture
def location(world: World, postgres: Postgres) -> Iterator[PostgresLocation]:
    """Return where the world's ledger will be."""
    with sharing(world, postgres) as location:
        yield location


@pytest.fixture
def cluster(postgres: Postgres, tmp_path: Path) -> Iterator[Cluster]:
    """Return a cluster whose first node is the owner, and whose second one is a standby."""
    with Cluster(tmp_path, postgres, hosts=2) as cluster:
        cluster.nodes[0].start()
        cluster.wait(lambda: cluster.owner()[0] == "node-1", "the owner")
        cluster.nodes[0].wait_for("check.finished", 1)
        cluster.nodes[1].start()
        yield cluster


def test_commands_without_a_daemon(world: World, location: PostgresLocation) -> None:
    """They do the same as with a file, and have the same exit codes."""
    rehearsed = world.run("check", "--dry-run", "--json")
    assert (rehearsed.result, world.mails, location.exists()) == ((0, 1, 0, 0, 0), [], False)
    assert world.check().result == (0, 1, 1, 0, 0)
    assert world.check().result == (0, 0, 0, 0, 0)
    assert (world.run("status").code, len(world.mails)) == (1, 1)
    assert "ops@social.example" in world.run("recipients").out
    assert world.run("skip", "4.5.20").code == 0
    assert world.run("status", "--json").json["skipped"] == ["4.5.20"]
    assert world.run("skip", "--undo", "4.5.20").code == 0
    assert world.run("send-test").code == 0


def test_commands_beside_daemons_on_two_machines(cluster: Cluster) -> None:
    """On the standby, `check`, `retry` and `skip` are requests to the owner; `status --alive` notices a kill."""
    request_check(cluster)
    request_retry(cluster)
    request_skip(cluster)
    owner, standby = cluster.nodes
    assert (len(owner.events("check.finished")), standby.events("check.finished")) == (2, [])
    kill_owner(cluster)


def request_check(cluster: Cluster) -> None:
    """The command prints the result of the owner's check, which comes long before the next planned one."""
    cluster.collector.manner = lambda place: Manner.PUT_OFF if place == RECIPIENTS[0] else Manner.TAKE
    cluster.updates.publish("4.5.1")
    checked = cluster.nodes[1].run("check", "--json")
    answer = json.loads(checked.stdout)
    assert [update["version"] for update in answer["updates"]] == ["4.5.1"]
    assert (checked.returncode, answer["planned"], answer["sent"], answer["deferred"]) == (75, 4, 3, 1)


def request_retry(cluster: Cluster) -> None:
    """The owner sends the deferred message, whose next attempt would come minutes after the second one."""
    cluster.nodes[0].wait_for("delivery.deferred", 2)
    cluster.collector.manner = lambda _: Manner.TAKE
    assert json.loads(cluster.nodes[1].run("retry", "--json").stdout)["retried"] == 1
    cluster.wait(lambda: len(cluster.collector.arrivals) == len(RECIPIENTS), "the retried mail")


def request_skip(cluster: Cluster) -> None:
    """The other machine sees it."""
    assert cluster.nodes[1].run("skip", "4.5.1").returncode == 0
    assert json.loads(cluster.nodes[0].run("status", "--json").stdout)["skipped"] == ["4.5.1"]


def kill_owner(cluster: Cluster) -> None:
    """A command that starts at once reports the state of its machine, and lists the other one."""
    owner, standby = cluster.nodes
    assert [node.run("status", "--alive").returncode for node in cluster.nodes] == [0, 0]
    owner.kill_supervisor()
    assert [node.run("status", "--alive").returncode for node in cluster.nodes] == [1, 0]
    nodes = json.loads(standby.run("status", "--json").stdout)["nodes"]
    assert [node["host"] for node in nodes] == ["node-1", "node-2"]
