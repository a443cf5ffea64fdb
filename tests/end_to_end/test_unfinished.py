"""An upgrade whose migrations were forgotten, by the real program and a real PostgreSQL."""

from pathlib import Path

import pytest

from end_to_end.databases import Staffed
from end_to_end.world import World
from simulators.mastodon_schema import MIGRATIONS
from simulators.mastodon_tree import configured, write_tree
from simulators.release_source import README, ReleaseSource

MIGRATION = "20990101000000"


@pytest.fixture
def migrations(staffed: Staffed) -> Path:
    """Have a tree of 4.5.20 whose database has run all but one migration."""
    world = staffed.world
    world.set(
        UPDATE_CHECK_MASTODON_VERSION=None,
        UPDATE_CHECK_RECIPIENTS="devops,ops@social.example",
        UPDATE_CHECK_OPERATOR="ops@social.example",
    )
    write_tree(world.root, configured("4.5.20"))
    directory = world.root / "db" / "post_migrate"
    directory.mkdir(parents=True)
    (directory / f"{MIGRATIONS[-1]}_known.rb").touch()
    (directory / f"{MIGRATION}_drop_column.rb").touch()
    return directory


def test_pending_migrations_are_notified_once_and_so_is_the_end(staffed: Staffed, migrations: Path) -> None:
    """At once in `status`, after an hour by mail, and again when none is pending; `doctor` says why none is noticed."""
    world = staffed.world
    world.check()
    assert world.subjects == []
    assert world.run("status", "--json").json["migrations_pending"] == [MIGRATION]
    assert f"Unfinished:  1 migration is pending, the newest {MIGRATION}: run `RAILS_ENV" in world.run("status").out
    assert f"1 migration is pending, the newest {MIGRATION}" in world.run("doctor").out
    for _ in range(2):
        world.let_pass(minutes=61)
        world.check()
    assert world.subjects == ["[social.example] Run the migrations of Mastodon 4.5.20: 1 is pending"]
    (migrations / f"{MIGRATION}_drop_column.rb").unlink()
    for _ in range(2):
        world.check()
    assert world.subjects[1:] == ["[social.example] All migrations of Mastodon 4.5.20 have run"]
    assert world.run("status", "--json").json["migrations_pending"] == []
    staffed.change("DROP TABLE schema_migrations")  # as before `setup` is run again after an update of this program
    world.check()
    assert world.run("status", "--json").json["migrations_pending"] == []
    assert "pending migrations are not noticed: PostgreSQL at" in " ".join(world.run("doctor").out.split())


def test_the_minimum_of_postgresql_is_compared_with_the_server_in_use(world: World, migrations: Path) -> None:
    """Mail, webhook form and `route` say that the server is too old for a release."""
    world.update_server.publish("4.5.21", urgent=True)
    world.set(UPDATE_CHECK_INSTALL_KIND="source")
    with ReleaseSource() as source:
        source.publish("4.5.20")
        source.publish("4.5.21", {"README.md": README.replace("13+", "99+")})
        world.set(UPDATE_CHECK_RELEASE_DETAILS=source.template)
        answer = world.check().json
        route = " ".join(world.run("route").out.replace("\n# ", " ").split())
    [requirement] = answer["updates"][0]["details"]["requires"]
    found = requirement["found"]
    assert requirement == {"name": "PostgreSQL", "minimum": "99", "found": found, "met": False}
    assert f"Requires PostgreSQL 99 (yours is {found}: upgrade it first)." in world.texts[-1].replace("\r\n", " ")
    assert f"Requires PostgreSQL 99 (yours is {found}: upgrade it first)." in route
    assert migrations.exists()
