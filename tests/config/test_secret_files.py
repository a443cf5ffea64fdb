"""Secrets in files of their own, and as systemd's credentials."""

import os

import pytest

from config.machine import Machine
from mastodon_update_check.config.settings import SECRETS
from mastodon_update_check.config.variables import VALUE_BYTES


@pytest.mark.parametrize(
    ("text", "secret"),
    [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw\n"), (" pw ", " pw "), ("ä$A#'", "ä$A#'")],
)
def test_secret_in_a_file(machine: Machine, text: str, secret: str) -> None:
    """The file's text is the secret, as it is, but for one line end."""
    path = machine.home / "secret"
    path.write_bytes(text.encode())
    settings = machine.load({"DB_PASS_FILE": str(path)})
    assert settings.db_pass is not None
    assert settings.db_pass == secret
    assert settings.origins["DB_PASS"] == f"{path}, which DB_PASS_FILE names"


@pytest.mark.parametrize("name", [*sorted(SECRETS), "UPDATE_CHECK_WEBHOOK_URL", "UPDATE_CHECK_WEBHOOK_OPS_URL"])
def test_every_secret_may_come_from_three_sources(machine: Machine, name: str) -> None:
    """Each secret may stand in the environment, in a file, and in a credential."""
    value = "https://hooks.example/x" if name != "UPDATE_CHECK_LEDGER" else "/x/ledger"
    machine.load({name: value})
    machine.own(f"{name}_FILE={machine.file('secret', value)}").load()
    settings = machine.own("").credential(name.lower(), value).load()
    assert settings.origins[name] == f"credential {name.lower()}"


@pytest.mark.parametrize(
    ("own", "environ", "expected"),
    [
        pytest.param("DB_PASS=own", {"DB_PASS_FILE": "secret"}, "pw", id="a file before a value of a lower source"),
        pytest.param("DB_PASS=own", {"DB_PASS_FILE": ""}, None, id="a blank file name before it"),
        pytest.param("", {"DB_PASS": "", "DB_PASS_FILE": "secret"}, "pw", id="a file beside a blank value"),
        pytest.param("", {"DB_PASS": "pw", "DB_PASS_FILE": ""}, "pw", id="a value beside a blank file name"),
        pytest.param("DB_PASS_FILE=/nowhere", {"DB_PASS": "pw"}, "pw", id="a hidden file is not opened"),
        pytest.param("DB_PASS_FILE=$(id)", {"DB_PASS": ""}, None, id="nor the file behind a blank value"),
    ],
)
def test_file_or_value(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, own: str, environ: dict[str, str], expected: str | None
) -> None:
    """`NAME_FILE` is a spelling of `NAME`: the order of the sources holds for both alike."""
    machine.file("secret", "pw")
    monkeypatch.chdir(machine.home)
    assert machine.own(own).load(environ).db_pass == expected


def test_value_and_file_in_one_place(machine: Machine) -> None:
    """Both in one place contradict each other."""
    machine.own(f"SMTP_PASSWORD=x\nSMTP_PASSWORD_FILE={machine.file('secret', 'x')}")
    assert sorted(machine.problems({"DB_PASS": "x", "DB_PASS_FILE": "/x"}), reverse=True) == [
        "SMTP_PASSWORD_FILE in config.env, line 2: SMTP_PASSWORD is set as well: remove one of them.",
        "DB_PASS_FILE in the environment: DB_PASS is set as well: remove one of them.",
    ]


def test_files_that_cannot_be_read(machine: Machine) -> None:
    """The problem names the variable and the path."""
    os.mkfifo(machine.home / "pipe")
    machine.file("large", "x" * (VALUE_BYTES + 1))
    start = "DB_PASS_FILE in the environment: "
    assert {
        name: machine.problems({"DB_PASS_FILE": str(machine.home / name)})
        for name in ("missing", "pipe", "large", "a\nb")
    } == {
        "missing": [f"{start}missing cannot be read: no such file or directory."],
        "pipe": [f"{start}pipe cannot be read: it is not a regular file."],
        "large": [f"{start}large cannot be read: it is larger than {VALUE_BYTES} bytes."],
        "a\nb": [f"{start}expected one line of text, got control characters."],
    }


def test_secret_that_is_not_text(machine: Machine) -> None:
    """A secret must be UTF-8 without NUL."""
    path = machine.home / "secret"
    path.write_bytes(b"\xff")
    place = "DB_PASS in secret, which DB_PASS_FILE names"
    environ = {"DB_PASS_FILE": str(path)}
    assert machine.problems(environ) == [f"{place}: expected text in UTF-8, got another encoding."]
    path.write_bytes(b"a\0b")
    assert machine.problems(environ) == [f"{place}: expected text, got a NUL character."]


def test_path_that_is_not_text(machine: Machine) -> None:
    """A path is opened as it is, whichever bytes it has."""
    path = os.fsencode(machine.home) + b"/caf\xe9"
    with open(path, "w") as file:  # noqa: PTH123 - a path of bytes
        file.write("pw")
    machine.own_path.write_bytes(b"DB_PASS_FILE=" + path)
    assert machine.load().db_pass == "pw"


def test_only_secrets_have_files(machine: Machine) -> None:
    """`NAME_FILE` of a variable that is not a secret is an unknown variable."""
    assert machine.problems({"UPDATE_CHECK_INTERVAL_FILE": "/x"}) == [
        ("UPDATE_CHECK_INTERVAL_FILE in the environment: unknown variable: did you mean UPDATE_CHECK_INTERVAL?")
    ]


def test_variables_that_only_look_like_files_of_secrets(machine: Machine) -> None:
    """Variables whose own name ends in `_FILE` are paths."""
    settings = machine.load({"SMTP_CA_FILE": "/ca.pem", "UPDATE_CHECK_METRICS_FILE": "/m.prom"})
    assert str(settings.metrics_file) == "/m.prom"


def test_foreign_credentials(machine: Machine) -> None:
    """Other credentials of the unit, and those that are not our secrets, are ignored."""
    machine.credential("mastodon.env", "x").credential("update_check_interval", "1h").credential("SMTP_LOGIN", "x")
    settings = machine.credential("db_name", "x").credential("update_check_whatever", "x").load()
    assert (settings.db_name, settings.interval.total_seconds() / 60) == ("mastodon_production", 30)


def test_credentials_that_cannot_be_read(machine: Machine) -> None:
    """A credential that is not a file, or too large, is named."""
    machine.credential("db_pass", "x" * (VALUE_BYTES + 1))
    (machine.home / "credentials" / "smtp_password").mkdir()
    assert machine.problems() == [
        f"DB_PASS in credential db_pass: the credential cannot be read: it is larger than {VALUE_BYTES} bytes.",
        "SMTP_PASSWORD in credential smtp_password: the credential cannot be read: it is a directory.",
    ]
