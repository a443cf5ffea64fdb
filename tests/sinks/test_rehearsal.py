"""Trying without sending: a mail server up to RCPT, a webhook's receiver by TCP and TLS alone."""

import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.mailserver import Bounds
from mastodon_update_check.sinks.reach import reach
from mastodon_update_check.sinks.webhook import Bounds as WebhookBounds
from simulators.http_server import HttpServer, Reply, unused_port
from simulators.smtp_server import Answer, Hang, ScriptedSmtpServer, SmtpServer
from sinks.examples import ADDRESS, PASSWORD, email_sink

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
QUICK = Bounds(connect=0.5, reply=0.3, total=timedelta(seconds=2))


def test_the_dialogue() -> None:
    """It goes as far as RCPT, takes that back, and says goodbye."""
    with ScriptedSmtpServer() as server, email_sink(server.port) as sink:
        assert f"localhost:{server.port} takes mail for {ADDRESS} (unencrypted)" == sink.rehearse(ADDRESS)
    assert (["EHLO", "MAIL", "RCPT", "RSET", "QUIT"], []) == (server.verbs, server.bodies)


def test_encrypted_and_logged_in(server_tls: ssl.SSLContext, trusted_authority: Path) -> None:
    """STARTTLS and AUTH are tried as for a mail."""
    assert trusted_authority.exists()
    with (
        SmtpServer(tls=server_tls, users={"mastodon": PASSWORD}) as server,
        email_sink(server.port, login="mastodon", password=PASSWORD) as sink,
    ):
        assert sink.rehearse(ADDRESS).endswith("(encrypted, logged in)")
    assert [] == server.mails


@pytest.mark.parametrize(
    ("script", "error", "sink_wide", "words"),
    [
        pytest.param({"AUTH": ["535 5.7.8 no"]}, TransientDeliveryError, True, "AUTH with 535 5.7.8 no", id="log-in"),
        pytest.param({"MAIL": ["550 5.7.1 no"]}, TransientDeliveryError, True, "MAIL with 550 5.7.1 no", id="sender"),
        pytest.param(
            {"RCPT": ["450 4.2.0 later"]}, TransientDeliveryError, False, "RCPT with 450 4.2.0", id="greylisted"
        ),
        pytest.param(
            {"RCPT": ["550 5.1.1 who?"]}, PermanentDeliveryError, False, "RCPT with 550 5.1.1", id="recipient"
        ),
        pytest.param({"EHLO": [Hang()]}, TransientDeliveryError, True, "EHLO: it took too long", id="hangs"),
    ],
)
def test_refusals(script: Mapping[str, list[Answer]], error: type[DeliveryError], sink_wide: bool, words: str) -> None:  # noqa: FBT001
    """What would keep a mail from being sent is said in the server's words, and whose fault it is."""
    with (
        ScriptedSmtpServer(script) as server,
        email_sink(server.port, QUICK, login="mastodon", password=PASSWORD) as sink,
        pytest.raises(error) as raised,
    ):
        sink.rehearse(ADDRESS)
    assert (sink_wide, True) == (raised.value.sink_wide, words in raised.value.reply), raised.value.reply


def test_no_address() -> None:
    """An address that no server is asked about."""
    with email_sink(1) as sink, pytest.raises(PermanentDeliveryError, match="is not a mail address"):
        sink.rehearse("nobody")


def test_reaching_a_receiver(server_tls: ssl.SSLContext, trusted_authority: Path) -> None:
    """TCP and TLS, and no request."""
    assert trusted_authority.exists()
    with HttpServer(lambda _: Reply(204), tls=server_tls) as receiver:
        assert "https://localhost is reached, and its certificate is good" == reach(
            {"url": receiver.url("/secret", "localhost")}
        )
    assert [] == receiver.requests


def test_a_certificate_for_another(foreign_tls: ssl.SSLContext, trusted_authority: Path) -> None:
    """A certificate that the sink would not take is not taken here."""
    assert trusted_authority.exists()
    with HttpServer(lambda _: Reply(204), tls=foreign_tls) as receiver, pytest.raises(TransientDeliveryError) as error:
        reach({"url": receiver.url("/secret", "localhost")})
    assert "https://localhost: its certificate is refused" in error.value.reply


def test_nobody_there() -> None:
    """A receiver that is down, and one that is silent, are told apart; the path is not shown."""
    with pytest.raises(TransientDeliveryError) as error:
        reach({"url": f"http://127.0.0.1:{unused_port()}/secret"})
    assert "no connection to http://127.0.0.1: Connection refused" == error.value.reply


def test_silence() -> None:
    """A host that takes the connection and says nothing ends by its time-out."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        bounds = WebhookBounds(read=0.2, total=timedelta(seconds=1))
        with pytest.raises(TransientDeliveryError, match="it took too long"):
            reach({"url": f"https://127.0.0.1:{listener.getsockname()[1]}/"}, bounds)


def test_through_a_proxy() -> None:
    """With a proxy, that is what is reached."""
    with HttpServer(lambda _: Reply(502)) as proxy:
        options = {"url": "https://chat.example/hook", "https_proxy": proxy.url()}
        assert "the proxy http://127.0.0.1 is reached; the receiver behind it was not asked" == reach(options)
    assert [] == proxy.requests
