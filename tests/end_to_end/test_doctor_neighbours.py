"""`doctor` asks the neighbours: each that does not answer is a finding with a fix, and none gets a message."""

from pathlib import Path

import pytest

from end_to_end.world import World
from simulators.http_server import unused_port
from simulators.mastodon_schema import schema
from simulators.postgres import Postgres


def test_heartbeat_and_metrics(world: World, tmp_path: Path) -> None:
    """The heartbeat's service is reached and not pinged, and the metrics' directory is looked at."""
    asked = world.update_server.asked
    world.set(UPDATE_CHECK_HEARTBEAT_URL=world.update_server.url, UPDATE_CHECK_METRICS_FILE=str(tmp_path / "our.prom"))
    finished = world.run("doctor", "--json")
    found = dict(finished.findings("ok"))
    assert (found["heartbeat"], found["metrics"]) == (
        "http://127.0.0.1 is reached; it was not pinged",
        f"{tmp_path} can be written",
    )
    assert (asked, (tmp_path / "our.prom").exists()) == (["4.5.19"], False)


def test_broken_monitoring(world: World, tmp_path: Path) -> None:
    """An unreachable service or a missing directory is an error that says where to look, and shows no URL."""
    world.set(
        UPDATE_CHECK_HEARTBEAT_URL=f"http://127.0.0.1:{unused_port()}/secret-uuid",
        UPDATE_CHECK_METRICS_FILE=str(tmp_path / "missing" / "our.prom"),
        UPDATE_CHECK_PAGE_FILE=str(tmp_path / "missing" / "index.html"),
        UPDATE_CHECK_WEBHOOK_URL=f"http://127.0.0.1:{unused_port()}/secret-path",
    )
    finished = world.run("doctor", "--json")
    heartbeat, metrics = (dict(finished.findings("error"))[name] for name in ("heartbeat", "metrics"))
    assert "UPDATE_CHECK_HEARTBEAT_URL" in heartbeat
    assert metrics.startswith(f"{tmp_path / 'missing'}, from UPDATE_CHECK_METRICS_FILE, is not a directory that can be")
    assert "UPDATE_CHECK_PAGE_FILE" in dict(finished.findings("error"))["status page"]
    assert "cannot be reached: connection refused" in dict(finished.findings("error"))["webhook"]
    assert not [secret for secret in ("secret-uuid", "secret-path") if secret in finished.out]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        pytest.param("UPDATE_CHECK_URL=", "is off (UPDATE_CHECK_URL is blank in its file)", id="blank: it is off"),
        pytest.param("LOCAL_DOMAIN=social.example", "is on: its users are mailed by both", id="not there: it is on"),
    ],
)
def test_mastodons_own_check(world: World, line: str, sentence: str) -> None:
    """It is off in Mastodon's file, or runs in addition to ours."""
    world.root.mkdir()
    (world.root / ".env.production").write_text(f"{line}\n")
    found = dict(world.run("doctor", "--json").findings("ok"))
    assert found["Mastodon's own check"].startswith(sentence)
    assert found["update server"].startswith("answers")


def test_login_that_may_write(world: World, postgres: Postgres) -> None:
    """Mastodon's own login may do more than is needed: a warning that says what to run."""
    database = postgres.create_database("examined", schema("4.7"))
    where = f"host={postgres.directory} port={postgres.port} dbname={database} user=mastodon"
    world.set(UPDATE_CHECK_RECIPIENTS="devops,ops@social.example", UPDATE_CHECK_DATABASE_URL=where)
    finished = world.run("doctor", "--json")
    postgres.drop_database(database)
    assert "`mastodon-update-check setup` makes one" in dict(finished.findings("warning"))["database"]
    assert "Mastodon's tables as mastodon" in dict(finished.findings("ok"))["database"]


@pytest.mark.parametrize(
    ("replies", "code", "grade", "words"),
    [
        pytest.param({"RCPT": "451 4.7.1 greylisted"}, 0, "warning", "it may be temporary", id="put off"),
        pytest.param({"RCPT": "550 5.1.1 who?"}, 1, "error", "look at the address", id="refused"),
        pytest.param({"MAIL": "530 5.7.0 log in"}, 1, "error", "and at the SMTP_ settings", id="the sink's fault"),
        pytest.param({}, 0, "ok", "takes mail for boss@social.example", id="accepted"),
    ],
)
def test_mail_server(checked: World, replies: dict[str, str], code: int, grade: str, words: str) -> None:
    """The mail server is asked as far as RCPT about the operator; a refusal says what to do; nothing is sent."""
    checked.set(UPDATE_CHECK_OPERATOR="boss@social.example")
    checked.smtp.replies.update(replies)
    finished = checked.run("doctor", "--json")
    assert (finished.code, words in dict(finished.findings(grade))["email"]) == (code, True)
    assert checked.notified == (0, 0)
