"""`doctor`: each probe with its severity; an error only if a configured part does not work."""

from datetime import timedelta
from pathlib import Path

import pytest

from end_to_end.world import World, wait_until
from mastodon_update_check.app import App
from mastodon_update_check.cli.doctor import diagnose
from mastodon_update_check.config import load_settings
from mastodon_update_check.host.systemd import Properties
from mastodon_update_check.jobs.doctor import Grade, probe_program
from simulators.scripted_smtp_server import Hang, ScriptedSmtpServer


@pytest.mark.parametrize(
    ("variables", "subject", "words"),
    [
        pytest.param({"UPDATE_CHECK_URL": "http://127.0.0.1:9/"}, "update server", "refused", id="no update server"),
        pytest.param({"UPDATE_CHECK_MASTODON_VERSION": None}, "version", "is unknown", id="no version anywhere"),
        pytest.param(
            {"UPDATE_CHECK_RECIPIENTS": "devops", "DB_HOST": "127.0.0.1", "DB_PORT": "9"},
            "database",
            "refused",
            id="no database",
        ),
        pytest.param({"UPDATE_CHECK_RECIPIENTS": " "}, "recipients", "no one would be notified by mail", id="nobody"),
        pytest.param({"UPDATE_CHECK_SINKS": "log"}, "recipients", "notices go to the log only", id="only the log"),
    ],
)
def test_broken_parts_are_errors(checked: World, variables: dict[str, str | None], subject: str, words: str) -> None:
    """A configured part that does not work is an error, with exit code 1."""
    checked.set(UPDATE_CHECK_WEBHOOK_URL=None, **variables)
    finished = checked.run("doctor", "--json")
    assert finished.code == 1
    errors = dict(finished.findings("error"))
    assert (errors.keys() - {"recipients", "database"} <= {subject}, words in errors[subject]) == (True, True)
    assert checked.notified == (0, 0)


@pytest.mark.parametrize(
    ("answer", "grade", "words"),
    [
        ("LoadState=not-found", "warning", "mastodon-update-check.service does not exist"),
        ("LoadState=loaded\nActiveState=inactive", "error", "is not running (its state is inactive"),
        ("LoadState=loaded\nActiveState=failed\nResult=exit-code", "error", "its last result exit-code"),
        ("LoadState=loaded\nActiveState=active\nUnitFileState=disabled", "warning", "does not start with the machine"),
    ],
)
def test_unit(answer: str, grade: str, words: str) -> None:
    """The state of the unit, and a fix."""
    (finding,) = probe_program._describe_unit(Properties(answer))
    assert (finding.grade, words in finding.sentence) == (grade, True)


def test_daemon(world: World) -> None:
    """Regular checks: never, recently by another program, now by the daemon, by a daemon without its ledger."""
    world.only("log")
    assert "is not running, so that no notices" in dict(world.run("doctor", "--json").findings("error"))["daemon"]
    world.check()
    assert "but a check was made at" in dict(world.run("doctor", "--json").findings("ok"))["daemon"]
    with world.daemon() as daemon:
        wait_until(lambda: dict(world.run("doctor", "--json").findings("ok")).get("daemon") == "is running")
        for path in world.ledger.parent.glob("ledger.sqlite3*"):
            if not path.name.endswith(".lock"):
                path.unlink()
        found = dict(world.run("doctor", "--json").findings("error"))
        daemon.kill()
    assert found["ledger"].startswith("was deleted while the daemon was running: restore a backup, or sudo systemctl ")


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
        findings = diagnose(App(settings), timedelta(seconds=0.5))
    errors = {one.subject: one.sentence for one in findings if one.grade is Grade.ERROR}
    assert errors["recipients"] == "was not done within 0.5 s: something on the way hangs"
    assert "version" in {one.subject for one in findings}
