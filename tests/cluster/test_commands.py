"""Commands with a ledger in PostgreSQL that is moved, begun anew, or cannot be used."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from end_to_end.shared import sharing
from end_to_end.world import World
from ledger.places import DATABASE, ROLE, query
from mastodon_update_check.ledger.postgres_place import PostgresPlace
from simulators.http_server import unused_port
from simulators.postgres import Postgres
from simulators.smtp_server import SmtpServer

COMMANDS = (
    ("check",),
    ("check", "--dry-run"),
    ("check", "--mark"),
    ("status",),
    ("status", "--alive"),
    ("recipients",),
    ("explain", "4.5.20"),
    ("skip", "4.5.20"),
    ("retry",),
    ("ledger", "backup", "backup.sqlite3"),
    ("run",),
)
"""All that need the ledger; `ledger new` is the way out."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a server whose neighbours all work."""
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def place(world: World, postgres: Postgres) -> Iterator[PostgresPlace]:
    """Return where the world's ledger will be; copies, and what is set aside, are removed as well."""
    with sharing(world, postgres) as place:
        yield place
        world.set(UPDATE_CHECK_LEDGER=None)
        for (name,) in query(place, "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'ledger#_%#_%' ESCAPE '#'"):
            postgres.execute(DATABASE, f"DROP SCHEMA {name} CASCADE", ROLE)


def test_what_waits(world: World, place: PostgresPlace) -> None:
    """`retry` makes it due at once, also for a sink that backs off; with `check --mark` it counts as told."""
    assert isinstance(world.mail_server, SmtpServer)
    world.mail_server.replies["MAIL"] = "451 4.7.1 later"
    assert (75, 1, 0, 1, 0) == world.check().result
    assert "1 message" in world.run("retry").out
    world.mail_server.replies.clear()
    assert (0, 0, 1, 0, 0) == world.check().result
    world.update_server.publish("4.5.21")
    marked = world.run("check", "--mark")
    assert (0, True) == (marked.code, "1 message marked as told; nothing was sent." in marked.out)
    assert [("sent", 2)] == query(place, "SELECT state, count(*) FROM delivery GROUP BY state")


def test_ledgers(world: World, place: PostgresPlace) -> None:
    """`ledger backup`, `copy` and `new`: what was told is known in each copy, and the old ledger is kept."""
    world.check()
    backup = world.directory / "backup.sqlite3"
    url = world.environment["UPDATE_CHECK_LEDGER"]
    assert 0 == world.run("ledger", "backup", str(backup)).code
    copied = world.run("ledger", "copy", str(backup), f"{url}_copy")
    assert (0, True) == (copied.code, "1 message, and all that was told." in copied.out), copied.err
    begun = world.run("ledger", "new")
    assert (0, True) == (begun.code, f"The old ledger is kept as the schema {place.address.schema}_" in begun.out)
    for ledger, planned in {str(backup): 0, f"{url}_copy": 0, url: 1}.items():
        world.set(UPDATE_CHECK_LEDGER=ledger)
        assert (0, planned, planned, 0, 0) == world.check().result
    assert "right" not in copied.out + begun.out


def change(old: str, new: str) -> Callable[[World, PostgresPlace], object]:
    """Return what names another server, login or database."""

    def run(world: World, _: PostgresPlace) -> None:
        url = world.environment["UPDATE_CHECK_LEDGER"]
        world.set(UPDATE_CHECK_LEDGER=url.replace(old, new, 1))

    return run


def execute(statement: str) -> Callable[[World, PostgresPlace], object]:
    """Return what runs a statement on the ledger."""
    return lambda _, place: query(place, statement)


def point_elsewhere(world: World, place: PostgresPlace) -> None:
    """Name a port where nobody listens."""
    port = place.address.parameters["port"]
    change(f":{port}/", f":{unused_port()}/")(world, place)


HARM = [
    pytest.param(point_elsewhere, "refuses the connection: is it running? Check UPDATE_CHECK_LEDGER", id="down"),
    pytest.param(change(":right@", ":s3cret@"), "refuses the password of the role ledger", id="wrong password"),
    pytest.param(change(":right@", "@"), "wants a password for the role ledger", id="no password"),
    pytest.param(change("/ledgers?", "/s3cret?"), "has no database s3cret: check UPDATE", id="no such database"),
    pytest.param(execute("UPDATE meta SET value = '99' WHERE key = 'schema'"), "a newer version of this", id="newer"),
    pytest.param(execute("UPDATE meta SET value = 'x' WHERE key = 'schema'"), "is damaged: its version", id="damaged"),
]


@pytest.mark.parametrize(("harm", "sentence"), HARM)
def test_unusable(
    world: World, place: PostgresPlace, harm: Callable[[World, PostgresPlace], object], sentence: str
) -> None:
    """Every command that needs the ledger says what is wrong in one line, as `doctor` does, and nothing is sent."""
    world.check()
    world.update_server.publish("4.5.21")
    world.set(PGPASSFILE="/dev/null")
    harm(world, place)
    for arguments in COMMANDS:
        finished = world.run(*arguments)
        last = finished.err.splitlines()[-1]
        assert (74, True, True) == (finished.code, sentence in last, "the ledger" in last), (arguments, finished)
        assert "s3cret@" not in finished.out + finished.err
    diagnosed = world.run("doctor", "--json")
    (found,) = [one for one in diagnosed.json["findings"] if one["grade"] == "error"]
    assert (1, "ledger", True) == (diagnosed.code, found["subject"], sentence in found["sentence"])
    assert 1 == len(world.mails)


def test_no_schema_may_be_made(world: World, place: PostgresPlace, postgres: Postgres) -> None:
    """Who may not make the schema is told what to ask for, and nothing is sent before."""
    guest = f"guest_{place.address.schema}"
    postgres.execute(DATABASE, f"CREATE ROLE {guest} LOGIN PASSWORD 'right'")
    change(f"{ROLE}:", f"{guest}:")(world, place)
    order = f'CREATE SCHEMA {place.address.schema} AUTHORIZATION "{guest}"'
    for arguments in (["check"], ["run"], ["ledger", "new"]):
        finished = world.run(*arguments)
        assert (74, True) == (finished.code, f"as the owner of the database, run {order}" in finished.err), finished
    assert [] == world.mails
    postgres.execute(DATABASE, order)
    assert (0, 1, 1, 0, 0) == world.check().result
    postgres.execute(DATABASE, f"DROP SCHEMA {place.address.schema} CASCADE; DROP ROLE {guest}")
