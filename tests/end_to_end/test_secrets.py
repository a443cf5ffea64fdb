"""Secrets show nowhere: not in outputs, the ledger or the list of processes, not even when servers repeat them."""

import base64
from pathlib import Path

import pytest

from end_to_end.finished import Finished
from end_to_end.world import World, wait_until
from mastodon_update_check import logs
from mastodon_update_check.config import load_settings
from mastodon_update_check.logs import hide_secrets
from mastodon_update_check.startup import _secrets
from simulators.http_server import HttpServer, Reply, Request
from simulators.postgres_front import Front, repeat_password
from simulators.scripted_smtp_server import Hang, ScriptedSmtpServer

PASSWORD = "correct-horse-battery-staple"
LOGIN = base64.b64encode(f"\0mastodon\0{PASSWORD}".encode()).decode()
HOOK_SECRET = "whsec_bGF1Z2h0ZXItaW4tdGhlLWRhcmstMTIzNDU2"
HOOK_PATH = "/services/T0123456789/B0123456789-abcdefghijkl"
PROXY_PASSWORD = "proxy-pass-0123456789"
DATABASE_PASSWORD = "database-pass-0123456789"
URL_PASSWORD = "url-pass-0123456789"
SECRETS = (
    *(PASSWORD, LOGIN, HOOK_SECRET, HOOK_SECRET.removeprefix("whsec_"), HOOK_PATH, HOOK_PATH.rpartition("/")[2]),
    *(PROXY_PASSWORD, DATABASE_PASSWORD, URL_PASSWORD),
    base64.b64encode(f"me:{PROXY_PASSWORD}".encode()).decode(),
)


def gossip(request: Request) -> Reply:
    """Refuse a request, and repeat all of it."""
    seen = f"{request.method} {request.target} {dict(request.headers)}"
    return Reply(500, f"{HOOK_PATH} {HOOK_SECRET} {seen}".encode(), {"X-Heard": HOOK_SECRET})


@pytest.fixture
def secretive(world: World) -> World:
    """Return a server with every kind of secret, whose neighbours refuse everything and echo their requests."""
    world.update_server.publish("4.5.20")
    world.answer_hook = gossip
    world.use_mail_server(
        ScriptedSmtpServer({"EHLO": ["250-mail\r\n250 AUTH PLAIN"], "AUTH": [f"535 {LOGIN} {PASSWORD}"]})
    )
    world.set(
        DATABASE_URL=f"postgresql://mastodon:{DATABASE_PASSWORD}@127.0.0.1:1/mastodon",
        DB_PASS=DATABASE_PASSWORD,
        SMTP_LOGIN="mastodon",
        SMTP_PASSWORD=PASSWORD,
        UPDATE_CHECK_DATABASE_URL=f"postgresql://reader:{DATABASE_PASSWORD}@127.0.0.1:1/mastodon",
        UPDATE_CHECK_LOG_LEVEL="debug",
        UPDATE_CHECK_WEBHOOK_SECRET=HOOK_SECRET,
        UPDATE_CHECK_WEBHOOK_URL=world.receiver.url(HOOK_PATH),
    )
    return world


def expect_silence(world: World, *finished: Finished) -> None:
    """Assert that no secret is in the output or in a file of the ledger."""
    everything = "".join(each.out + each.err for each in finished).encode() + b"".join(world.bytes_of_state().values())
    assert [secret for secret in SECRETS if secret.encode() in everything] == []


def test_servers_that_repeat_them(secretive: World) -> None:
    """Refusals are shown and kept, without what they repeat; every command that shows them is looked at."""
    check = secretive.check()
    assert check.result == (75, 3, 1, 2, 0)
    others = [secretive.run(*command.split()) for command in ("check", "status", "status --json", "check --dry-run")]
    assert "535" in others[1].out
    assert "500" in others[1].out
    expect_silence(secretive, check, *others)


@pytest.mark.parametrize(
    ("code", "form"),
    [
        ("XX000", "host=127.0.0.1 port={port} password={password} sslmode=disable"),
        ("42P01", "postgresql://u:{password}@127.0.0.1:{port}/m?sslmode=disable"),
    ],
)
def test_database_that_repeats_the_password(world: World, tmp_path: Path, code: str, form: str) -> None:
    """Neither logs, commands, page and ledger nor mails and webhooks have it."""
    page = tmp_path / "page" / "index.html"
    page.parent.mkdir()
    with Front(repeat_password(code)) as front:
        world.set(
            UPDATE_CHECK_DATABASE_URL=form.format(port=front.port, password=DATABASE_PASSWORD),
            UPDATE_CHECK_PAGE_FILE=str(page),
            UPDATE_CHECK_RECIPIENTS="devops,ops@social.example",
        )
        outputs = []
        for _ in range(3):
            outputs.append(world.check())
            world.let_pass(hours=7)
        outputs += [world.run(*words.split()) for words in ("status", "status --json", "doctor", "recipients")]
    assert "the password is …" in "".join(world.texts)
    assert "the password is …" in outputs[-1].out + outputs[-1].err
    expect_silence(world, *outputs)
    sent = [*world.texts, *(call.body.decode() for call in world.calls), page.read_text()]
    assert [text for text in sent if DATABASE_PASSWORD in text] == []


def test_a_proxy_and_an_update_server_with_passwords(secretive: World) -> None:
    """Neither the proxy's password nor that in the update server's URL is in the sentence about the failure."""
    with HttpServer(lambda request: Reply(407, gossip(request).body)) as proxy:
        secretive.set(
            https_proxy=proxy.url().replace("://", f"://me:{PROXY_PASSWORD}@"),
            UPDATE_CHECK_URL=f"https://me:{URL_PASSWORD}@updates.example/",
        )
        finished = secretive.run("check")
        assert [request.method for request in proxy.requests] == ["CONNECT"]
    assert (finished.code, "updates.example" in finished.out) == (1, True)
    expect_silence(secretive, finished, secretive.run("status"))


def test_a_database_with_a_password(secretive: World) -> None:
    """The error names the database without its password; the address of the settings is notified."""
    secretive.set(UPDATE_CHECK_RECIPIENTS="devops, ops@social.example")
    finished = secretive.run("check")
    assert (finished.code, "PostgreSQL at 127.0.0.1:1 cannot be used" in finished.out) == (1, True), finished.out
    expect_silence(secretive, finished, secretive.run("status"))


def test_wrong_settings(secretive: World) -> None:
    """A secret that is wrong is named, not shown."""
    secretive.set(
        SMTP_PASSWORD=f"{PASSWORD}\nsecond line",
        UPDATE_CHECK_WEBHOOK_SECRET=f"{HOOK_SECRET}!",
        UPDATE_CHECK_WEBHOOK_URL=f"htp://hooks.example{HOOK_PATH}",
        UPDATE_CHECK_LEDGER=f"postgresql://me:{DATABASE_PASSWORD}@127.0.0.1/ledger",
        https_proxy=f"socks5://me:{PROXY_PASSWORD}@127.0.0.1",
    )
    finished = secretive.run("check")
    assert finished.code == 78
    for name in ("UPDATE_CHECK_WEBHOOK_SECRET", "UPDATE_CHECK_WEBHOOK_URL", "https_proxy"):
        assert name in finished.err
    expect_silence(secretive, finished)


def test_the_list_of_processes(secretive: World) -> None:
    """The process list shows no secret."""
    hanging = ScriptedSmtpServer({"CONNECT": [Hang()]})
    secretive.use_mail_server(hanging)
    with secretive.start("check") as process:
        wait_until(lambda: bool(hanging._used))
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        names = [task.read_bytes() for task in Path(f"/proc/{process.pid}/task").glob("*/comm")]
        children = [task.read_bytes() for task in Path(f"/proc/{process.pid}/task").glob("*/children")]
        process.kill()
    assert (True, set()) == (b"check" in shown, {child for child in children if child})
    assert [secret for secret in SECRETS if secret.encode() in shown + b"".join(names)] == []


def test_each_of_several_chat_services_is_hidden() -> None:
    """Apprise's URLs have their secrets anywhere, so none of them is shown, also where there are several."""
    settings = load_settings(
        {"HOME": "/", "UPDATE_CHECK_APPRISE_URL": "tgram://12345:t0ken/1 ntfys://me:pass%40word@h/t"}
    )
    output = logs._outputs[0]
    logs.configure("info", "json", secrets=tuple(_secrets(settings)))
    assert hide_secrets("said tgram://12345:t0ken/1 and pass@word") == "said … and …"
    logs._outputs[0] = output
