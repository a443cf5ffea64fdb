"""`doctor`: each probe with its grade; an error only for what is configured and does not work."""

import pytest

from end_to_end.world import Finished, World
from simulators.mastodon_schema import schema
from simulators.postgres import Postgres


def graded(finished: Finished, grade: str) -> list[tuple[str, str]]:
    """Return the findings of one grade: subject and sentence."""
    return [(one["subject"], one["sentence"]) for one in finished.json["findings"] if one["grade"] == grade]


def test_healthy(world: World) -> None:
    """A server on which everything works has no error, nothing was sent, and no ledger was made."""
    world.set(UPDATE_CHECK_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4)
    finished = world.run("doctor", "--json")
    assert (0, []) == (finished.code, graded(finished, "error"))
    assert ["settings"] == [subject for subject, _ in graded(finished, "warning")]
    assert ("update server", "answers; it lists nothing newer") in graded(finished, "ok")
    assert ((0, 0), []) == (world.told, list(world.ledger.parent.iterdir()))


def test_words(world: World) -> None:
    """A person reads one line for each finding."""
    world.update_server.publish("4.5.20")
    lines = world.run("doctor").out.splitlines()
    assert "ok       version               UPDATE_CHECK_MASTODON_VERSION says 4.5.19" in lines
    assert "ok       update server         answers; it lists 1 newer" in lines
    unsigned = "is sent unsigned: its receiver cannot tell who sent it; give it a …_SECRET"
    assert f"warning  webhook               {unsigned}" in lines


@pytest.mark.parametrize(
    ("variables", "subject", "words"),
    [
        pytest.param({"UPDATE_CHECK_URL": "http://127.0.0.1:9/"}, "update server", "refused", id="no update server"),
        pytest.param({"UPDATE_CHECK_MASTODON_VERSION": None}, "version", "no place says", id="no version anywhere"),
        pytest.param({"UPDATE_CHECK_RECIPIENTS": "devops", "DB_PORT": "9"}, "database", "refuses", id="no database"),
    ],
)
def test_what_does_not_work(world: World, variables: dict[str, str | None], subject: str, words: str) -> None:
    """What is configured and does not work is an error, and the exit code 1."""
    world.set(**variables)
    finished = world.run("doctor", "--json")
    assert 1 == finished.code
    assert [subject] == [found for found, _ in graded(finished, "error")]
    assert words in graded(finished, "error")[0][1]


def test_damaged_ledger(world: World) -> None:
    """It is named with the ways out; the other probes are made all the same."""
    world.ledger.write_text("no ledger")
    finished = world.run("doctor", "--json")
    assert (1, ["ledger"]) == (finished.code, [subject for subject, _ in graded(finished, "error")])
    assert "update server" in dict(graded(finished, "ok"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        pytest.param("UPDATE_CHECK_URL=", "is off (UPDATE_CHECK_URL is blank in its file)", id="blank: it is off"),
        pytest.param("LOCAL_DOMAIN=social.example", "is on: its users are mailed by both", id="not there: it is on"),
    ],
)
def test_mastodons_own_check(world: World, line: str, sentence: str) -> None:
    """Which it is: silenced in Mastodon's file, or on beside ours, which goes on in either case."""
    world.root.mkdir()
    (world.root / ".env.production").write_text(f"{line}\n")
    found = dict(graded(world.run("doctor", "--json"), "ok"))
    assert found["Mastodon's own check"].startswith(sentence)
    assert found["update server"].startswith("answers")


def test_login_that_may_write(world: World, postgres: Postgres) -> None:
    """Mastodon's own login may do more than is needed: a warning that says what to run."""
    database = postgres.create_database("examined", schema("4.7"))
    where = f"host={postgres.directory} port={postgres.port} dbname={database} user=mastodon"
    world.set(UPDATE_CHECK_RECIPIENTS="devops,ops@social.example", UPDATE_CHECK_DATABASE_URL=where)
    finished = world.run("doctor", "--json")
    postgres.drop_database(database)
    assert "packaging/postgresql/install.sql" in dict(graded(finished, "warning"))["database"]
    assert "Mastodon's tables as mastodon" in dict(graded(finished, "ok"))["database"]
