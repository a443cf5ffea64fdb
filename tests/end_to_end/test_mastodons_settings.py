"""With a Mastodon on the same host: its tree, its `.env.production`, and the meaning of its variables."""

from pathlib import Path

import pytest

from end_to_end.world import World
from simulators.http_server import HttpServer, Reply
from simulators.mastodon_tree import configured, write_tree

PASSWORD = "hunter2-hunter2"
OURS = ("LOCAL_DOMAIN", "SMTP_SERVER", "SMTP_PORT", "UPDATE_CHECK_MASTODON_VERSION", "UPDATE_CHECK_INSTANCE_URL")

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.fixture
def beside(world: World, authority_file: Path) -> World:
    """Return a server of which only Mastodon's own files say what it is."""
    world.set(**dict.fromkeys(OURS), UPDATE_CHECK_WEBHOOK_URL=None, SSL_CERT_FILE=str(authority_file))
    world.update_server.publish("4.5.20")
    write_tree(world.root, configured("4.5.19"))
    return world


def write_settings(world: World, *lines: str) -> None:
    """Write `.env.production` with these lines, and the server's names and mail server."""
    port = world.environment.pop("SMTP_PORT", str(world.mail_server.port))
    basis = ("LOCAL_DOMAIN=social.example", "WEB_DOMAIN=web.social.example", "SMTP_SERVER=127.0.0.1")
    # Without this the running server would be asked, which is not there.
    world.set(UPDATE_CHECK_INSTANCE_URL="")
    (world.root / ".env.production").write_text("\n".join((*basis, f"SMTP_PORT={port}", *lines)) + "\n")


def test_as_installed(beside: World) -> None:
    """With nothing but Mastodon's files, the domain, the version, the sender and the mail server are known."""
    write_settings(
        beside,
        "# the file of a real server",
        'SMTP_FROM_ADDRESS="Social Example <notifications@social.example>"',
        "export SMTP_REPLY_TO=admin@social.example",
        "SMTP_RETURN_PATH=bounces@social.example",
        "SECRET_KEY_BASE=$(rake secret)",
        "VAPID_PRIVATE_KEY='unbalanced",
    )
    assert beside.check().result == (0, 2, 2, 0, 0)
    (mail,) = beside.mails
    headers = ("From", "Reply-To", "Subject")
    assert tuple(mail.message[name] for name in headers) == (
        "Social Example <notifications@social.example>",
        "admin@social.example",
        "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)",
    )
    assert mail.sender == "bounces@social.example"
    assert "https://web.social.example/admin/software_updates" in beside.texts[0]


def test_sendmail_disables_email_alone(beside: World) -> None:
    """Another delivery method than SMTP is reported with the remedy; the check works, and email recovers."""
    write_settings(beside, "SMTP_DELIVERY_METHOD=sendmail")
    finished = beside.run("check", "--json")
    assert (finished.code, beside.mails) == (0, [])
    [line] = finished.events("check.degraded")
    assert line["detail"].startswith(
        f"email is disabled: SMTP_DELIVERY_METHOD in {beside.root}/.env.production, line 5"
    )
    assert "SMTP_SERVER=localhost and SMTP_PORT=25" in line["detail"]
    beside.set(SMTP_PORT=str(beside.mail_server.port))
    write_settings(beside)
    assert (beside.check().code, len(beside.mails)) == (0, 1)


@pytest.mark.parametrize(("no_proxy", "is_proxied"), [("localhost,127.0.0.0/8,::1/128", False), ("localhost", True)])
def test_networks_without_a_proxy(world: World, no_proxy: str, *, is_proxied: bool) -> None:
    """`no_proxy` may name networks; the server's own inner address is never asked through a proxy."""
    world.only("log")
    world.answer_hook = lambda _: Reply.json({"version": "4.5.19"})
    world.set(UPDATE_CHECK_MASTODON_VERSION=None, UPDATE_CHECK_INSTANCE_URL=world.receiver.url().rstrip("/"))
    with HttpServer(lambda _: Reply(503)) as proxy:
        world.set(http_proxy=proxy.url(), no_proxy=no_proxy)
        assert int(is_proxied) == world.check().code
        assert ["/update-check"] * is_proxied == [request.path for request in proxy.requests]
    assert [call.path for call in world.calls] == ["/api/v2/instance"]
