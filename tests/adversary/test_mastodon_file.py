"""A compromised Mastodon user writes Mastodon's file of settings: it can at most disable what it configures."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from end_to_end.databases import sharing
from end_to_end.world import World
from mastodon_update_check.config.variables import FILE_BYTES
from simulators.postgres import Postgres
from simulators.smtp_server import SmtpServer

MARK = "s3cret-of-the-service"
"""A secret that only this program may read."""


@pytest.fixture
def server(world: World) -> World:
    """Return a server with a webhook of its own, to which Mastodon's file adds the rest."""
    world.set(LOCAL_DOMAIN=None, SMTP_SERVER=None, SMTP_PORT=None, UPDATE_CHECK_RECIPIENTS=None)
    world.root.mkdir()
    world.update_server.publish("4.5.20", urgent=True)
    return world


def write(world: World, text: str, name: str = ".env.production") -> None:
    """Write one of Mastodon's files."""
    (world.root / name).write_text(f"LOCAL_DOMAIN=social.example\n{text}\n")


def check_for_hours(world: World) -> None:
    """Let checks run for longer than a problem may last without a notice."""
    for _ in range(4):
        assert world.check().code == 0
        world.let_pass(hours=3, minutes=10)


@pytest.mark.parametrize(
    "line",
    [
        "SMTP_PORT=abc",
        "SMTP_DELIVERY_METHOD=sendmail",
        "SMTP_SERVER=mail.example\nSMTP_FROM_ADDRESS='a\nBcc: b@evil.example'",
        "SMTP_PASSWORD=$(id)",
        "https_proxy=socks5h://127.0.0.1:1",
        "http_proxy=://",
        "DB_PORT=abc",
        "DB_HOST=$(id)",
        "DB_SSLMODE=on",
        "WEB_DOMAIN=https://evil.example/",
        "UPDATE_CHECK_URL=file:///etc/passwd",
        "MASTODON_VERSION_METADATA='\x07'",
        "SMTP_LOGIN=" + "x" * 70_000,
        "A=" + "x" * 60_000 + "\nSMTP_LOGIN=$A$A",
        "export SMTP_LOGIN",
        "UPDATE_CHECK_SINKS=log\nUPDATE_CHECK_INTERVAL=1s\nUPDATE_CHECK_LEDGER=/etc/passwd\nUPDATE_CHECK_TYPO=1",
        "SMTP_PASSWORD_FILE=/etc/passwd\nUPDATE_CHECK_WEBHOOK_URL=http://evil.example/",
    ],
)
def test_values_do_not_stop_the_webhook(server: World, line: str) -> None:
    """A value that cannot be used, or is not Mastodon's to set, leaves the check and the other sinks alone."""
    write(server, line)
    finished = server.check()
    assert (finished.code, len(server.calls)) == (0, 1), finished.err
    assert server.run("status").code == 2
    assert "expected" not in finished.out


def _huge(path: Path) -> None:
    path.write_text("#" * (FILE_BYTES + 1))


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _our_secrets(path: Path) -> None:
    path.symlink_to(path.parent.parent / "config.env")


@pytest.mark.parametrize("place", [os.mkfifo, Path.mkdir, _huge, _endless, _our_secrets])
def test_files_do_not_stop_the_webhook(server: World, place: Callable[[Path], object]) -> None:
    """A file that cannot be read is not waited for, not followed, and reported."""
    server.config_file.write_text(f"UPDATE_CHECK_HEARTBEAT_URL={server.receiver.url('/')}\nSMTP_PASSWORD={MARK}\n")
    write(server, "SMTP_SERVER=127.0.0.1\nSMTP_PORT=1")
    file = server.root / ".env.production.local"
    place(file)
    began = time.monotonic()
    finished = server.run("doctor", "--json")
    assert time.monotonic() - began < 30
    assert MARK not in finished.out + finished.err
    assert f"{file} cannot be read" in finished.out
    server.check()
    assert [call.path for call in server.calls if call.path == "/hook"] == ["/hook"]


def test_a_link_does_not_combine_our_secrets_with_another_server(server: World) -> None:
    """A mail server in one file and a link to our own settings in another would send our password there."""
    server.config_file.write_text("")
    (server.directory / "other.env").write_text(f"SMTP_LOGIN=x\nSMTP_PASSWORD={MARK}\n")
    write(server, f"SMTP_SERVER=127.0.0.1\nSMTP_PORT={server.mail_server.port}\nSMTP_ENABLE_STARTTLS=never")
    (server.root / ".env").symlink_to(server.directory / "other.env")
    server.set(UPDATE_CHECK_RECIPIENTS="ops@social.example")
    server.check()
    assert [(mail.login, mail.recipient) for mail in server.mails] == [("", "ops@social.example")]


def test_the_other_sinks_report_it_after_six_hours_and_all_recovers(server: World) -> None:
    """The notice comes by webhook, once; status and doctor say it at once; a corrected file needs no command."""
    server.set(UPDATE_CHECK_RECIPIENTS="ops@social.example")
    mail = f"SMTP_SERVER=127.0.0.1\nSMTP_PORT={server.mail_server.port}"
    write(server, f"{mail}\nSMTP_AUTH_METHOD=oauth")
    check_for_hours(server)
    assert server.hook_events == ["update.available", "check.failing"]
    sentence = f"email is disabled: SMTP_AUTH_METHOD in {server.root}/.env.production, line 4: expected plain,"
    assert sentence in server.run("status").out
    assert sentence in server.run("doctor").out
    write(server, mail)
    assert server.check().code == 0
    assert len(server.mails) == 1
    assert "is disabled" not in server.run("status").out + server.run("doctor").out


def test_thousands_of_unusable_values_make_short_reports(server: World) -> None:
    """Notices, webhooks and status name the first problems of each feature, within a bound."""
    write(server, "SMTP_PORT=abc\n" + "".join(f"MASTODON_VERSION_{number}=$(x)\n" for number in range(9_000)))
    check_for_hours(server)
    assert server.hook_events == ["update.available", "check.failing"]
    assert max(len(call.body) for call in server.calls) < 10_000
    status = server.run("status").out
    assert "email is disabled: SMTP_PORT" in status
    assert len(status) < 10_000
    assert server.ledger.stat().st_size < 1_000_000


def test_self_destruct_is_reported_and_ends_with_its_line(server: World) -> None:
    """It turns checks off, as in Mastodon, but not silently: status and doctor say it, and a notice after six hours."""
    server.set(UPDATE_CHECK_INTERVAL="1m", UPDATE_CHECK_JITTER="0")  # not wrong while no update server is asked
    write(server, "SELF_DESTRUCT=yes")
    check_for_hours(server)
    assert server.hook_events == ["check.failing"]
    sentence = f"checking is disabled: SELF_DESTRUCT in {server.root}/.env.production, line 2: says that this server"
    assert sentence in server.run("status").out
    assert sentence in server.run("doctor").out
    assert not server.update_server.asked
    write(server, "")
    server.check()
    assert server.hook_events == ["check.failing", "update.available"]
    assert "SELF_DESTRUCT" not in server.run("status").out


def instances(server: World) -> list[str]:
    """Return the domains under which the webhook was called."""
    return [json.loads(call.body)["data"]["instance"] for call in server.calls]


@pytest.mark.parametrize("line", ["", "LOCAL_DOMAIN=not a domain", "LOCAL_DOMAIN=$(id)", "LOCAL_DOMAIN=a.example"])
def test_lost_or_changed_domain_neither_stops_nor_repeats_notices(server: World, line: str) -> None:
    """The known domain is used; Mastodon's own can never change: under a new one, everything would be sent again."""
    write(server, "")
    server.check()
    (server.root / ".env.production").write_text(f"{line}\n")
    server.update_server.publish("4.5.21", urgent=True)
    for _ in range(2):
        assert server.check().code == 0
    assert instances(server) == ["social.example"] * 2
    assert "the instance of the ledger, social.example, is used" in server.run("doctor").out


@pytest.mark.parametrize("line", ["", "LOCAL_DOMAIN=$(id)", "LOCAL_DOMAIN=b.example"])
def test_lost_or_changed_domain_with_a_shared_ledger(server: World, postgres: Postgres, line: str) -> None:
    """The domain that this machine has used stays, although the ledger has that of another machine, too."""
    with sharing(server, postgres):
        server.only("webhook")
        server.set(UPDATE_CHECK_WEBHOOK_URL=server.receiver.url("/hook"))
        here = server.directory / "this-machine"
        for machine, domain in ((server.directory / "another-machine", "a.example"), (here, "social.example")):
            server.set(STATE_DIRECTORY=str(machine))
            (server.root / ".env.production").write_text(f"LOCAL_DOMAIN={domain}\n")
            assert server.check().code == 0
        (server.root / ".env.production").write_text(f"{line}\n")
        server.update_server.publish("4.5.21", urgent=True)
        assert server.check().code == 0
    assert instances(server) == ["a.example", "social.example", "social.example"]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("names_server", [True, False])
def test_password_of_the_administrator_stays_here(server: World, *, names_server: bool) -> None:
    """It is not sent to a server, or to a port of any user, that Mastodon's file names; the other sinks go on."""
    with SmtpServer(users={"m": MARK}) as evil:
        server.set(SMTP_LOGIN="m", SMTP_PASSWORD=MARK, UPDATE_CHECK_RECIPIENTS="a@social.example")
        server.set(SMTP_SERVER=None if names_server else "127.0.0.1")
        write(server, f"SMTP_SERVER=127.0.0.1\nSMTP_PORT={evil.port}")
        assert (server.check().code, len(server.calls), len(evil.mails)) == (0, 1, 0)
        variable = "SMTP_SERVER" if names_server else "SMTP_PORT"
        expected = f"decides who can read SMTP_PASSWORD (the environment): set {variable} there as well"
        assert expected in server.run("status").out
        server.set(SMTP_SERVER="127.0.0.1", SMTP_PORT=str(evil.port))
        assert (server.check().code, len(evil.mails)) == (0, 1)


def test_update_server_of_mastodons_user(server: World) -> None:
    """It is used, because Mastodon would use it; `status` and `doctor` warn until the administrator confirms it."""
    url = server.environment.pop("UPDATE_CHECK_URL")
    write(server, f"UPDATE_CHECK_URL={url}")
    assert server.check().code == 0
    warning = "127.0.0.1 is not the official update server"
    assert warning in server.run("status").out
    assert warning in server.run("doctor").out
    server.set(UPDATE_CHECK_URL=url)
    assert warning not in server.run("status").out + server.run("doctor").out
