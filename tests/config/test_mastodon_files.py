"""Mastodon's files: which are read, what is taken from them, and what an unusable value disables."""

import os
from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.config import sources
from mastodon_update_check.config.settings import EMAIL, RECIPIENTS, UPDATE_SERVER
from mastodon_update_check.config.variables import FILE_BYTES

URL = "UPDATE_CHECK_URL"


@pytest.fixture
def other_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the files of the test those of another user."""
    monkeypatch.setattr(sources, "_trusted_users", lambda: frozenset({-1}))


def test_files_in_the_order_of_rails(machine: Machine) -> None:
    """The first file that sets a name wins; a value may refer to the files before."""
    machine.file(".env.production.local", "SMTP_SERVER=local.example\nOURS=ops")
    machine.file(".env.local", "SMTP_PORT=587\nSMTP_DOMAIN=$LATER.example")
    machine.mastodon("SMTP_SERVER=other.example\nSMTP_PORT=25\nSMTP_REPLY_TO=$OURS@social.example\nLATER=later")
    machine.file(".env", "LOCAL_DOMAIN=social.example\nWEB_DOMAIN=web.example\nSMTP_REPLY_TO=x")
    settings = machine.load({"SMTP_DOMAIN": "", "WEB_DOMAIN": "root.example"})
    assert (settings.smtp_server, settings.smtp_port) == ("local.example", 587)
    assert (settings.smtp_reply_to, settings.instance) == ("ops@social.example", "social.example")
    assert settings.web_domain == "root.example"
    assert settings.origins["LOCAL_DOMAIN"] == f"{machine.home}/.env, line 1"
    names = [path.name for path in settings.mastodon_files]
    assert names == [".env.production.local", ".env.local", ".env.production", ".env"]


def test_named_file_is_the_only_one(machine: Machine) -> None:
    """Our own file may name Mastodon's, and then no other is read; a link of the administrator's is followed."""
    machine.file("copy.env", "LOCAL_DOMAIN=social.example")
    link = machine.home / "link.env"
    link.symlink_to("copy.env")
    machine.mastodon("LOCAL_DOMAIN=other.example\nSMTP_SERVER=mail.example")
    settings = machine.own(f"UPDATE_CHECK_MASTODON_ENV_FILE={link}").load()
    assert (settings.instance, settings.smtp_server, settings.mastodon_files) == ("social.example", None, (link,))


def test_root_elsewhere(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The default files are in the Mastodon tree that is set; it may be a relative path."""
    root = tmp_path_factory.mktemp("live")
    (root / ".env").write_text("LOCAL_DOMAIN=social.example")
    relative = os.path.relpath(root)
    settings = machine.load({"UPDATE_CHECK_MASTODON_ROOT": relative})
    assert (settings.mastodon_root, settings.instance) == (Path(relative), "social.example")


def test_only_known_names_are_taken(machine: Machine) -> None:
    """Mastodon's file cannot set our own variables, nor name a file with a secret: it belongs to another user."""
    secret = machine.file("ours", "ours")
    machine.mastodon(
        f"UPDATE_CHECK_INTERVAL=1h\nUPDATE_CHECK_TYPO=1\nUPDATE_CHECK_LEDGER=/x\nSMTP_PASSWORD_FILE={secret}\n"
        "SMTP_SERVER=mail.example\nMASTODON_VERSION_METADATA=glitch\nSECRET_KEY_BASE=x\nSMTP_NEW=$(id)\n"
    )
    settings = machine.load()
    assert settings.foreign == {"SMTP_SERVER", "MASTODON_VERSION_METADATA"}
    assert settings.version_environment == {"MASTODON_VERSION_METADATA": "glitch"}
    assert "password" not in machine.sink("email").options


def test_update_server_of_mastodon(machine: Machine) -> None:
    """It is used, with a warning unless it is the official one or the administrator names it too."""
    url = "https://updates.example/"
    settings = machine.mastodon(f"{URL}={url}").load()
    assert settings.url == url
    start = f"{URL} in {machine.mastodon_path}, line 1: updates.example is not the official"
    assert settings.update_server_warning.startswith(start)
    assert not machine.load({URL: url}).update_server_warning
    assert not machine.mastodon(f"{URL}={UPDATE_SERVER}").load().update_server_warning
    assert not machine.mastodon("").load().update_server_warning


@pytest.mark.parametrize("value", ["", "  ", '""', "''"])
def test_mastodons_own_check_silenced(machine: Machine, value: str) -> None:
    """A blank URL switches Mastodon's check off, not ours."""
    settings = machine.mastodon(f"{URL}={value}").load()
    assert (settings.url, settings.off_reason, settings.mastodon_check_is_off) == (UPDATE_SERVER, "", True)


def test_mastodons_check_and_ours(machine: Machine) -> None:
    """Whether Mastodon's check is off is known even when our URL is set elsewhere, and the other way round."""
    settings = machine.mastodon(f"{URL}=").own(f"{URL}=https://updates.example/").load()
    assert (settings.url, settings.mastodon_check_is_off) == ("https://updates.example/", True)
    settings = machine.own("").mastodon("LOCAL_DOMAIN=social.example").load({URL: " "})
    assert (settings.url, settings.mastodon_check_is_off) == (None, False)
    assert settings.off_reason == "UPDATE_CHECK_URL is blank"


def test_our_variables_are_not_put_into_mastodons_values(machine: Machine) -> None:
    """The owner of Mastodon's file cannot have our secrets sent to a server of theirs."""
    secrets = {
        "UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example/secret",
        "DATABASE_URL": "postgresql://u:secret@db/x",
        "BACKUP_PASSPHRASE": "secret of root's",
        "LOCAL_DOMAIN": "social.example",
    }
    machine.mastodon(
        "SMTP_SERVER=evil.example\nSMTP_LOGIN=x$UPDATE_CHECK_WEBHOOK_URL$DATABASE_URL\nSMTP_PASSWORD=x$BACKUP_PASSPHRASE\n"
        "SMTP_FROM_ADDRESS=mail@$LOCAL_DOMAIN"
    )
    options = machine.sink("email", secrets).options
    assert (options["login"], options["password"], options["from_address"]) == ("x", "x", "mail@social.example")


def test_quotes_inside_a_value(machine: Machine) -> None:
    """Quotes that dotenv leaves belong to the value."""
    machine.mastodon("SMTP_SERVER=localhost\nSMTP_LOGIN='\"x y\"'\nSMTP_PASSWORD=\"'abc'\"\nDB_PASS='\"q\"'")
    options = machine.sink("email").options
    assert (options["login"], options["password"], machine.load().db_pass) == ('"x y"', "'abc'", '"q"')


PORT = 'expected a port number (1-65535), got "abc"'


@pytest.mark.parametrize(
    ("line", "feature", "problem"),
    [
        ("SMTP_PORT=abc", EMAIL, f"SMTP_PORT in .env.production, line 2: {PORT}"),
        ("SMTP_DELIVERY_METHOD=sendmail", EMAIL, 'SMTP_PORT=25 in our own file), got "sendmail"'),
        ("SMTP_LOGIN=$(id)", EMAIL, "got $(…), which is never executed: write its result instead"),
        ('SMTP_FROM_ADDRESS="a\x00b"', EMAIL, "got control characters"),
        ("DB_PORT=abc", RECIPIENTS, f"DB_PORT in .env.production, line 2: {PORT}"),
        ("DATABASE_URL=$(id)", RECIPIENTS, "$(…)"),
        ("DB_SSLMODE=always", RECIPIENTS, 'got "always"'),
        ("https_proxy=socks5h://u:s3cret@proxy", "the proxy", "without spaces, got a value that is not shown"),
        ("LOCAL_DOMAIN=not a domain", "the domain of Mastodon's file", 'got "not a domain"'),
        ("UPDATE_CHECK_URL=ftp://x", "the update server of Mastodon's file", 'got "ftp://x"'),
        ('MASTODON_VERSION_METADATA="a\x07b"', "a part of the version", "got control characters"),
    ],
)
def test_unusable_value_disables_only_what_needs_it(machine: Machine, line: str, feature: str, problem: str) -> None:
    """Everything else works; when the file is corrected, so does that."""
    environ = {"UPDATE_CHECK_WEBHOOK_URL": "https://hooks.example/x"}
    settings = machine.mastodon(f"SMTP_SERVER=mail.example\n{line}").load(environ)
    [disabled] = settings.disabled
    assert disabled.feature == feature
    assert disabled.problem.startswith(f"{line.partition('=')[0]} in {machine.mastodon_path}, line 2: ")
    assert problem in str(disabled).replace(f"{machine.home}/", "")
    assert "s3cret" not in f"{settings!r}"
    has_mail = feature != EMAIL
    assert settings.sink_names == (("log", "email", "webhook") if has_mail else ("log", "webhook"))
    assert settings.url == UPDATE_SERVER
    corrected = machine.mastodon("SMTP_SERVER=mail.example").load(environ)
    assert (corrected.disabled, corrected.sink_names) == ((), ("log", "email", "webhook"))


@pytest.mark.parametrize(
    ("line", "environ"),
    [
        ("SMTP_DELIVERY_METHOD=sendmail", {"UPDATE_CHECK_SINKS": "log"}),
        ("SMTP_PORT=abc", {"SMTP_PORT": "587"}),
        ("DB_PORT=abc", {"UPDATE_CHECK_DATABASE_URL": "dbname=x"}),
        ("https_proxy=socks5://x", {"https_proxy": ""}),
    ],
)
def test_unused_value_need_not_be_usable(machine: Machine, line: str, environ: dict[str, str]) -> None:
    """Nothing is disabled by a value that nothing needs."""
    assert machine.mastodon(line).load(environ).disabled == ()


def test_missing_mail_server(machine: Machine) -> None:
    """A mail server that Mastodon's file no longer names disables email; without such a file it is our own mistake."""
    environ = {"UPDATE_CHECK_SINKS": "log,email"}
    sentence = "UPDATE_CHECK_SINKS in the environment: email is listed, but SMTP_SERVER is not set"
    assert machine.problems(environ)[0].startswith(sentence)
    settings = machine.mastodon("").load(environ)
    assert settings.sink_names == ("log",)
    assert [disabled.feature for disabled in settings.disabled] == [EMAIL]
    assert settings.disabled[0].problem.startswith(sentence)


def test_files_that_cannot_be_used(machine: Machine) -> None:
    """A link, a pipe or a huge file in the place of Mastodon's is not read, which is said; a private one is normal."""
    (machine.home / ".env").symlink_to(machine.own_path)
    os.mkfifo(machine.home / ".env.local")
    machine.mastodon("#" * (FILE_BYTES + 1))
    machine.file(".env.production.local", "LOCAL_DOMAIN=social.example")
    settings = machine.load()
    assert (settings.instance, [path.name for path in settings.mastodon_files]) == (
        "social.example",
        [".env.production.local"],
    )
    start = f"one of Mastodon's files is disabled: {machine.home}"
    assert [str(disabled) for disabled in settings.disabled] == [
        f"{start}/.env.local cannot be read: it is not a regular file",
        f"{start}/.env.production cannot be read: it is larger than {FILE_BYTES} bytes",
        f"{start}/.env cannot be read: it is a symbolic link",
    ]


@pytest.mark.usefixtures("other_user")
@pytest.mark.parametrize("name", ["missing", "pipe", "directory/deep/missing"])
def test_named_file_of_another_user(machine: Machine, name: str) -> None:
    """Mastodon's user may remove or replace a file that our own settings name: that does not end the program."""
    os.mkfifo(machine.home / "pipe")
    settings = machine.load({"UPDATE_CHECK_MASTODON_ENV_FILE": str(machine.home / name), "UPDATE_CHECK_SINKS": "email"})
    assert [disabled.feature for disabled in settings.disabled] == ["one of Mastodon's files", EMAIL]


def test_short_interval_does_not_depend_on_mastodon(machine: Machine) -> None:
    """A loopback update server of Mastodon's file does not allow an interval that its removal would make an error."""
    assert len(machine.mastodon(f"{URL}=http://127.0.0.1/").problems({"UPDATE_CHECK_INTERVAL": "1s"})) == 1
