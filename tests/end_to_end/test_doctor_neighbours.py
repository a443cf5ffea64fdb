"""`doctor` asks the neighbours: each that does not answer is a finding with a fix, and none gets a message."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from end_to_end.world import World
from simulators.http_server import Reply, unused_port
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
    """An unreachable heartbeat service or a missing directory is an error that says where to look."""
    world.set(
        UPDATE_CHECK_HEARTBEAT_URL=f"http://127.0.0.1:{unused_port()}/secret-uuid",
        UPDATE_CHECK_METRICS_FILE=str(tmp_path / "missing" / "our.prom"),
        UPDATE_CHECK_PAGE_FILE=str(tmp_path / "missing" / "index.html"),
    )
    finished = world.run("doctor", "--json")
    heartbeat, metrics = (dict(finished.findings("error"))[name] for name in ("heartbeat", "metrics"))
    assert "UPDATE_CHECK_HEARTBEAT_URL" in heartbeat
    assert metrics.startswith(f"{tmp_path / 'missing'}, from UPDATE_CHECK_METRICS_FILE, is not a directory that can be")
    assert "UPDATE_CHECK_PAGE_FILE" in dict(finished.findings("error"))["status page"]
    assert "secret-uuid" not in finished.out


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
    ],
)
def test_mail_server(checked: World, replies: dict[str, str], code: int, grade: str, words: str) -> None:
    """The mail server is asked as far as RCPT, and its refusal comes with what to do; nothing is sent."""
    checked.smtp.replies.update(replies)
    finished = checked.run("doctor", "--json")
    assert (finished.code, words in dict(finished.findings(grade))["email"]) == (code, True)
    assert checked.notified == (0, 0)


def test_mail_server_is_tried_with_the_operator(world: World) -> None:
    """The operator's address is the one that is asked about."""
    world.set(UPDATE_CHECK_OPERATOR="boss@social.example")
    assert "takes mail for boss@social.example" in dict(world.run("doctor", "--json").findings("ok"))["email"]


def test_receiver_that_is_down(world: World) -> None:
    """A webhook that cannot be reached is an error; its URL, which may be a secret, is not shown."""
    world.set(UPDATE_CHECK_WEBHOOK_URL=f"http://127.0.0.1:{unused_port()}/secret-path")
    finished = world.run("doctor")
    assert (finished.code, "cannot be reached: connection refused" in finished.out) == (1, True)
    assert "secret-path" not in finished.out


@pytest.mark.parametrize(
    ("date", "grade", "words"),
    [
        pytest.param(0, "ok", "is right", id="right"),
        pytest.param(300, "warning", "behind that of the update server", id="behind"),
        pytest.param(-300, "warning", "ahead of that of the update server", id="ahead"),
        pytest.param("", "ok", "was not compared", id="no date"),
        pytest.param("yesterday", "ok", "was not compared", id="not a date"),
        pytest.param("Tue, 99 Nov 2026 99:99:99 GMT", "ok", "was not compared", id="a date that does not exist"),
    ],
)
def test_clock(world: World, date: float | str, grade: str, words: str) -> None:
    """The clock is compared with the update server's date, if it sends one, also when it refuses to answer."""
    if not isinstance(date, str):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=date), usegmt=True)
    world.update_server.fail(Reply(503, headers={"Date": date}))
    assert words in dict(world.run("doctor", "--json").findings(grade))["clock"]


def test_failing_sink(world: World) -> None:
    """A sink that accepts nothing is shown with its last reply."""
    world.only("webhook")
    world.answer_hook = lambda _: Reply(503, b"closed")
    world.update_server.publish("4.5.20")
    world.check()
    warnings = dict(world.run("doctor", "--json").findings("warning"))
    assert warnings["ledger"] == "1 message is not delivered yet: `status` says why, `retry` makes them due at once"
    world.answer_hook = lambda _: Reply(410)
    world.let_pass(hours=1)
    world.check()
    assert "its receiver asked never to be called again (HTTP 410): give it another URL" in world.run("doctor").out
