"""The end of a setup: pending notices, the test message, the start of daemon or timer."""

import json

import pytest

from install.host import CONFIG, ENV, PROGRAM, UNIT, Host, Terminal, refused, session, set_up
from mastodon_update_check.host.programs import Finished
from mastodon_update_check.install.dialogue import TIMER


def test_notices_are_marked_before_the_start(host: Host) -> None:
    """Pending notices are marked before the service starts, by the service's own command and settings."""
    host.install(ENV)
    assert set_up(host, tell="mark")
    config = host.prefix / CONFIG
    own = [line.rpartition(f"{PROGRAM} ")[2] for line in host.commands("env", f"UPDATE_CHECK_CONFIG={config}")]
    assert own == ["recipients --json", "check --dry-run --json", "check --mark", "send-test"]
    assert host.ran.index(host.commands("env")[-1]) < host.ran.index(f"systemctl enable {UNIT}")


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("recipients --json", 78, "nothing is started: correct this"),
        ("recipients --json", 1, "the recipients are not known, so nothing is marked"),
        ("check --mark", 1, "could not be marked as sent, so nothing is started"),
        ("check --mark", 74, "nothing is started: correct this"),
    ],
)
def test_not_started(host: Host, command: str, code: int, words: str) -> None:
    """When recipients or pending notices are not known, nothing is started; setup can be run again."""
    host.install(ENV)
    host.answers[f"{PROGRAM} {command}"] = Finished(code=code, err="mastodon-update-check: something\n")
    assert words in refused(host, tell="mark")
    assert not host.commands("systemctl restart")
    del host.answers[f"{PROGRAM} {command}"]
    assert "--yes needs --tell" in refused(host, tell="")
    assert set_up(host, tell="mark")


MAIL = {"sink": "email", "name": None, "address": "ops@social.example"}
USER = {"sink": "email", "name": "alice", "address": "alice@social.example"}
WEBHOOK = {"sink": "webhook", "name": None, "address": None}
LOG = {"sink": "log", "name": None, "address": None}


@pytest.mark.parametrize(
    ("recipients", "expected"),
    [
        ([USER, MAIL, WEBHOOK, LOG], "Will be notified: alice, ops@social.example by email; webhook"),
        ([WEBHOOK, WEBHOOK], "Will be notified: webhook"),
        ([USER] * 10, f"Will be notified: {', '.join(['alice'] * 8)} and 2 more by email"),
        ([LOG], "No recipient will be notified, because there is neither a mail address nor a webhook"),
        ([], "No recipient will be notified"),
    ],
)
def test_last_words_name_the_recipients(
    host: Host, capsys: pytest.CaptureFixture[str], recipients: list[dict[str, object]], expected: str
) -> None:
    """The last lines of setup name the recipients, or say that there are none."""
    host.install(ENV)
    host.recipients = json.dumps({"recipients": recipients, "error": None})
    assert set_up(host)
    out = capsys.readouterr().out
    assert f"{UNIT} is running. {expected}" in out
    assert len(out.partition("setup will:")[2].partition("Note:")[0].splitlines()) <= 9


@pytest.mark.parametrize(
    ("pending", "questions", "said"),
    [
        ('{"updates": [{"version": "4.5.20", "urgent": true}], "planned": 1}', 1, "Pending: 4.5.20 (urgent).\n"),
        ('{"updates": [], "planned": 0}', 0, "Pending: nothing.\n"),
        ("no JSON", 1, "Pending: not known.\n"),
    ],
)
def test_pending_notices_are_asked_about_when_there_are_some(
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pending: str,
    questions: int,
    said: str,
) -> None:
    """The pending releases are shown; with none of them there is nothing to decide."""
    host.install(ENV)
    host.pending = pending
    monkeypatch.setattr("sys.stdin", Terminal("n\n" + "y\n" * (2 + questions)))
    assert session(host, yes=False).set_up()
    out = capsys.readouterr().out
    assert said in out
    assert out.count("[Y/n]") == 3 + questions


def test_recipients_that_are_not_known(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that cannot be parsed does not count as no recipients."""
    host.install(ENV)
    host.recipients = "x"
    assert not set_up(host)
    assert "It is not known who will be notified" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wanted", "code", "worked", "sent"), [(True, 0, True, 1), (True, 1, False, 1), (False, 1, True, 0)]
)
def test_test_message(host: Host, *, wanted: bool, code: int, worked: bool, sent: int) -> None:
    """A test message is sent unless it is not wanted; when it fails, setup exits with 1 and starts the service."""
    host.install(ENV)
    host.answers[f"{PROGRAM} send-test"] = Finished(code=code)
    assert set_up(host, no_test=not wanted) == worked
    assert len([line for line in host.ran if line.endswith("send-test")]) == sent
    assert host.commands("systemctl restart")


def test_failed_start_shows_the_reason(host: Host) -> None:
    """The message of systemd is shown."""
    host.install(ENV)
    host.answers["systemctl restart"] = Finished(code=1, err="Job for it failed.\n")
    assert f"{UNIT} does not start: Job for it failed." in refused(host)


def test_no_start_sends_nothing(host: Host) -> None:
    """With --no-start nothing is started or notified; the next run goes on from there."""
    host.install(ENV)
    assert set_up(host, no_start=True, tell="")
    assert not host.commands("env")
    assert not host.commands("systemctl restart")
    assert "--yes needs --tell" in refused(host, tell="")


def test_timer_is_started_instead_of_the_service(host: Host) -> None:
    """With --timer the timer is started instead of the service, and stays when setup runs again."""
    host.install(ENV)
    assert set_up(host, timer=True)
    assert set_up(host)
    assert set(host.commands("systemctl restart")) == {f"systemctl restart {TIMER}"}
    assert not host.commands("systemctl disable")
    session(host).undo()
    assert host.commands("systemctl disable --now", UNIT, TIMER)


def test_timer_replaces_a_running_service(host: Host) -> None:
    """With --timer a running service is disabled, so that it does not come back at the next boot."""
    host.install(ENV)
    assert set_up(host)
    host.ran = []
    assert set_up(host, timer=True)
    assert [
        line
        for line in host.ran
        if line.startswith("systemctl") and line.split()[1] in {"disable", "enable", "restart"}
    ] == [f"systemctl disable --now {UNIT}", f"systemctl enable {TIMER}", f"systemctl restart {TIMER}"]


def test_no_terminal_to_ask(host: Host) -> None:
    """Without a terminal and without --yes, setup stops before it changes anything."""
    host.install(ENV)
    with pytest.raises(Exception, match="standard input is not a terminal"):
        session(host, yes=False).set_up()
    assert host.files() == {}
