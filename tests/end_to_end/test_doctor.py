"""`doctor`: each probe with its severity; an error only if a configured part does not work."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from end_to_end.world import Finished, World, wait_until
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from mastodon_update_check.jobs.doctor import probe_program
from mastodon_update_check.jobs.doctor.diagnose import diagnose
from mastodon_update_check.jobs.doctor.finding import Grade
from simulators.http_server import Reply, unused_port
from simulators.mastodon_schema import schema
from simulators.postgres import Postgres
from simulators.smtp_server import Hang, ScriptedSmtpServer, SmtpServer


def graded(finished: Finished, grade: str) -> list[tuple[str, str]]:
    """Return the findings of one grade: subject and sentence; without `unit`, which depends on the host."""
    found = [one for one in finished.json["findings"] if one["subject"] != "unit"]
    return [(one["subject"], one["sentence"]) for one in found if one["grade"] == grade]


@pytest.fixture
def checked(world: World) -> World:
    """Return a server that was checked a moment ago, so that no daemon is missed."""
    world.check()
    return world


def test_healthy(checked: World) -> None:
    """A server on which everything works has no error, and nothing was sent."""
    checked.set(UPDATE_CHECK_WEBHOOK_SECRET="whsec_" + "c2VjcmV0" * 4, SMTP_FROM_ADDRESS="mastodon@social.example")
    finished = checked.run("doctor", "--json")
    assert (finished.code, graded(finished, "error")) == (0, [])
    assert [subject for subject, _ in graded(finished, "warning")] == ["settings"]
    assert dict(graded(finished, "ok"))["update server"].startswith("answers; it lists nothing newer (127.0.0.1, ")
    assert checked.notified == (0, 0)


def test_new(world: World) -> None:
    """Before the first check the daemon is missed, which is an error; no ledger is made."""
    finished = world.run("doctor", "--json")
    assert (finished.code, [subject for subject, _ in graded(finished, "error")]) == (1, ["daemon"])
    assert list(world.ledger.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param({"UPDATE_CHECK_RECIPIENTS": " "}, "nobody would be notified by mail: set", id="no address"),
        pytest.param({"UPDATE_CHECK_SINKS": "log"}, "nobody would be notified, notices go to the log only", id="log"),
    ],
)
def test_no_recipients(checked: World, variables: dict[str, str], sentence: str) -> None:
    """Without recipients nothing can be right."""
    checked.set(UPDATE_CHECK_WEBHOOK_URL=None, **variables)
    finished = checked.run("doctor", "--json")
    assert finished.code == 1
    assert dict(graded(finished, "error"))["recipients"].startswith(sentence)


def test_words(world: World) -> None:
    """A person reads one line for each finding, problems first, and a verdict at the end."""
    world.update_server.publish("4.5.20")
    lines = world.run("doctor").out.splitlines()
    grades = [line.split()[0] for line in lines[:-2]]
    assert grades == sorted(grades, key=("error", "warning", "ok").index)
    assert lines[-1].startswith("Not everything that is configured works. 1 error, ")
    assert "ok       version               UPDATE_CHECK_MASTODON_VERSION says 4.5.19" in lines
    assert any(line.startswith("ok       update server         answers; it lists 1 newer (") for line in lines)
    unsigned = "is sent unsigned: its receiver cannot tell who sent it; set UPDATE_CHECK_WEBHOOK_SECRET"
    assert f"warning  webhook               {unsigned}" in lines


@pytest.mark.parametrize(
    ("variables", "subject", "words"),
    [
        pytest.param({"UPDATE_CHECK_URL": "http://127.0.0.1:9/"}, "update server", "refused", id="no update server"),
        pytest.param({"UPDATE_CHECK_MASTODON_VERSION": None}, "version", "no place says", id="no version anywhere"),
        pytest.param(
            {"UPDATE_CHECK_RECIPIENTS": "devops", "DB_HOST": "127.0.0.1", "DB_PORT": "9"},
            "database",
            "refused",
            id="no database",
        ),
    ],
)
def test_broken_parts_are_errors(checked: World, variables: dict[str, str | None], subject: str, words: str) -> None:
    """A configured part that does not work is an error, with exit code 1."""
    checked.set(**variables)
    finished = checked.run("doctor", "--json")
    assert finished.code == 1
    assert [found for found, _ in graded(finished, "error") if found != "recipients"] == [subject]
    assert words in graded(finished, "error")[0][1]


def test_heartbeat_and_metrics(world: World, tmp_path: Path) -> None:
    """The heartbeat's service is reached and not pinged, and the metrics' directory is looked at."""
    asked = world.update_server.asked
    world.set(UPDATE_CHECK_HEARTBEAT_URL=world.update_server.url, UPDATE_CHECK_METRICS_FILE=str(tmp_path / "our.prom"))
    finished = world.run("doctor", "--json")
    found = dict(graded(finished, "ok"))
    assert (
        found["heartbeat"],
        found["metrics"],
    ) == ("http://127.0.0.1 is reached; it was not pinged", f"{tmp_path} can be written")
    assert (asked, (tmp_path / "our.prom").exists()) == (["4.5.19"], False)


def test_broken_monitoring(world: World, tmp_path: Path) -> None:
    """An unreachable heartbeat service or a missing directory is an error that says where to look."""
    world.set(
        UPDATE_CHECK_HEARTBEAT_URL=f"http://127.0.0.1:{unused_port()}/secret-uuid",
        UPDATE_CHECK_METRICS_FILE=str(tmp_path / "missing" / "our.prom"),
        UPDATE_CHECK_PAGE_FILE=str(tmp_path / "missing" / "index.html"),
    )
    finished = world.run("doctor", "--json")
    heartbeat, metrics = (dict(graded(finished, "error"))[name] for name in ("heartbeat", "metrics"))
    assert "UPDATE_CHECK_HEARTBEAT_URL" in heartbeat
    assert metrics == f"there is no directory {tmp_path / 'missing'}: create it, or change UPDATE_CHECK_METRICS_FILE"
    assert "UPDATE_CHECK_PAGE_FILE" in dict(graded(finished, "error"))["status page"]
    assert "secret-uuid" not in finished.out


def test_damaged_ledger(world: World) -> None:
    """It is named with the ways out; the other probes are made all the same."""
    world.ledger.write_text("no ledger")
    finished = world.run("doctor", "--json")
    assert (finished.code, [subject for subject, _ in graded(finished, "error")]) == (1, ["ledger"])
    assert "update server" in dict(graded(finished, "ok"))


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
    assert "`mastodon-update-check setup` makes one" in dict(graded(finished, "warning"))["database"]
    assert "Mastodon's tables as mastodon" in dict(graded(finished, "ok"))["database"]


@pytest.mark.parametrize(
    ("replies", "code", "grade", "words"),
    [
        pytest.param({"RCPT": "451 4.7.1 greylisted"}, 0, "warning", "it may be temporary", id="put off"),
        pytest.param({"RCPT": "550 5.1.1 who?"}, 1, "error", "look at the address", id="refused"),
        pytest.param({"MAIL": "530 5.7.0 log in"}, 1, "error", "look at the SMTP_ settings", id="the sink's fault"),
    ],
)
def test_mail_server(checked: World, replies: dict[str, str], code: int, grade: str, words: str) -> None:
    """The mail server is asked as far as RCPT, and its refusal comes with what to do; nothing is sent."""
    assert isinstance(checked.mail_server, SmtpServer)
    checked.mail_server.replies.update(replies)
    finished = checked.run("doctor", "--json")
    assert (code, True) == (finished.code, words in dict(graded(finished, grade))["email"])
    assert checked.notified == (0, 0)


def test_mail_server_is_tried_with_the_operator(world: World) -> None:
    """The operator's address is the one that is asked about."""
    world.set(UPDATE_CHECK_OPERATOR="boss@social.example")
    assert "takes mail for boss@social.example" in dict(graded(world.run("doctor", "--json"), "ok"))["email"]


def test_receiver_that_is_down(world: World) -> None:
    """A webhook that cannot be reached is an error; its URL, which may be a secret, is not shown."""
    world.set(UPDATE_CHECK_WEBHOOK_URL=f"http://127.0.0.1:{unused_port()}/secret-path")
    finished = world.run("doctor")
    assert (finished.code, "cannot be reached: connection refused" in finished.out) == (1, True)
    assert "secret-path" not in finished.out


@pytest.mark.parametrize(
    ("seconds", "grade", "words"),
    [
        pytest.param(0, "ok", "is right", id="right"),
        pytest.param(300, "warning", "behind that of the update server", id="behind"),
        pytest.param(-300, "warning", "ahead of that of the update server", id="ahead"),
    ],
)
def test_clock(world: World, seconds: float, grade: str, words: str) -> None:
    """The clock is compared with the update server's, also when that one refuses to answer."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    world.update_server.fail(Reply(503, headers={"Date": date}))
    assert words in dict(graded(world.run("doctor", "--json"), grade))["clock"]


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Nov 2026 99:99:99 GMT"])
def test_no_clock_to_compare_with(world: World, date: str) -> None:
    """An answer without a date is not a problem."""
    world.update_server.fail(Reply(503, headers={"Date": date}))
    assert "was not compared" in dict(graded(world.run("doctor", "--json"), "ok"))["clock"]


@pytest.mark.parametrize(
    ("answer", "grade", "words"),
    [
        pytest.param("LoadState=not-found", "warning", "mastodon-update-check.service does not exist", id="no unit"),
        pytest.param("LoadState=loaded\nActiveState=active\nSubState=running", "ok", "is running", id="running"),
        pytest.param(
            "LoadState=loaded\nActiveState=inactive", "error", "is inactive: sudo systemctl start", id="stopped"
        ),
        pytest.param(
            "LoadState=loaded\nActiveState=failed\nResult=exit-code", "error", "has failed (exit-code)", id="failed"
        ),
        pytest.param(
            "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code",
            "error",
            "has failed (exit-code)",
            id="fails again and again",
        ),
        pytest.param(
            "LoadState=loaded\nActiveState=active\nUnitFileState=disabled",
            "warning",
            "does not start with the machine",
            id="not enabled",
        ),
        pytest.param("", "ok", "not running under systemd", id="the program alone, as in a container"),
    ],
)
def test_unit(answer: str, grade: str, words: str) -> None:
    """The state of the unit, and a fix."""
    unit = dict(line.split("=") for line in answer.splitlines()) if answer else None
    *_, finding = probe_program._describe_unit(unit)
    assert (finding.grade, words in finding.sentence) == (grade, True)


def test_ledger_deleted_under_the_daemon(world: World) -> None:
    """A running daemon without a ledger is an error: it remembers nothing."""
    world.only("log")
    with world.start("run") as daemon:
        wait_until(lambda: world.run("status", "--alive").code == 0)
        wait_until(world.ledger.exists)
        for path in world.ledger.parent.glob("ledger.sqlite3*"):
            if not path.name.endswith(".lock"):
                path.unlink()
        found = dict(graded(world.run("doctor", "--json"), "error"))
        daemon.kill()
        daemon.communicate()
    assert found["ledger"].startswith("was deleted while the daemon was running: restore a backup, or sudo systemctl ")


def test_daemon(world: World) -> None:
    """Regular checks: never, recently by another program, now by the daemon."""
    world.only("log")
    assert "is not running, so that no notices" in dict(graded(world.run("doctor", "--json"), "error"))["daemon"]
    world.check()
    assert "but a check was made at" in dict(graded(world.run("doctor", "--json"), "ok"))["daemon"]
    with world.start("run") as daemon:
        wait_until(lambda: dict(graded(world.run("doctor", "--json"), "ok")).get("daemon") == "is running")
        daemon.terminate()
        daemon.communicate()


def test_settings_are_shown(world: World) -> None:
    """Each with its origin; secrets are hidden."""
    world.config_file.write_text("SMTP_PASSWORD=correct-horse\nUPDATE_CHECK_INTERVAL=1h\n")
    world.set(UPDATE_CHECK_URL=world.update_server.url.replace("//", "//user:battery@"))
    assert "UPDATE_CHECK_INTERVAL" not in world.run("doctor").out
    finished = world.run("doctor", "--verbose")
    assert f"UPDATE_CHECK_INTERVAL=1h ({world.config_file}, line 2)" in finished.out
    assert f"SMTP_PASSWORD=(hidden) ({world.config_file}, line 1)" in finished.out
    assert "UPDATE_CHECK_URL=(hidden) (the environment)" in finished.out
    assert not {word for word in ("correct-horse", "battery", "/hook") if word in finished.out}


def test_hanging_probe_delays_no_other(tmp_path: Path) -> None:
    """A probe past the limit is an error, and the other findings are shown."""
    with ScriptedSmtpServer({"EHLO": [Hang()]}) as server:
        settings = load_settings(
            {
                "HOME": str(tmp_path),
                "LOCAL_DOMAIN": "social.example",
                "SMTP_SERVER": "127.0.0.1",
                "SMTP_PORT": str(server.port),
                "UPDATE_CHECK_URL": "",
                "UPDATE_CHECK_INSTANCE_URL": "",
                "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
                "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
            },
            tmp_path / "config.env",
        )
        app = App(settings)
        with app.find_ledger() as ledger:
            findings = diagnose(settings, lambda: app.status_report(ledger), app.clock, timedelta(seconds=0.5))
    errors = {one.subject: one.sentence for one in findings if one.grade is Grade.ERROR}
    assert errors["recipients"] == "was not done within 0.5 s: something on the way hangs"
    assert "version" in {one.subject for one in findings}


def test_failing_sink(world: World) -> None:
    """A sink that accepts nothing is shown with its last reply."""
    world.only("webhook")
    world.answer_hook = lambda _: Reply(503, b"closed")
    world.update_server.publish("4.5.20")
    world.check()
    warnings = dict(graded(world.run("doctor", "--json"), "warning"))
    assert warnings["ledger"] == "1 message is not delivered yet: `status` says why, `retry` makes them due at once"
    world.answer_hook = lambda _: Reply(410)
    world.let_pass(hours=1)
    world.check()
    assert "its receiver asked never to be called again (HTTP 410): give it another URL" in world.run("doctor").out
