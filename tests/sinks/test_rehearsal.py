"""Trying a mail server up to RCPT, without sending."""

import ssl
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.scripted_smtp_server import Answer, Hang, ScriptedSmtpServer
from simulators.smtp_server import SmtpServer
from sinks.examples import ADDRESS, PASSWORD, email_sink

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
QUICK = MailLimits(connect=0.5, reply=0.3, total=timedelta(seconds=2))


def test_the_dialogue() -> None:
    """It goes as far as RCPT, and ends with RSET and QUIT."""
    with ScriptedSmtpServer() as server, email_sink(server.port) as sink:
        assert sink.rehearse(ADDRESS) == f"localhost:{server.port} takes mail for {ADDRESS} (unencrypted)"
    assert (server.verbs, server.bodies) == (["EHLO", "MAIL", "RCPT", "RSET", "QUIT"], [])


def test_encrypted_and_logged_in(server_tls: ssl.SSLContext, trusted_authority: Path) -> None:
    """STARTTLS and AUTH are tried as for a mail."""
    assert trusted_authority.exists()
    with (
        SmtpServer(tls=server_tls, users={"mastodon": PASSWORD}) as server,
        email_sink(server.port, login="mastodon", password=PASSWORD) as sink,
    ):
        assert sink.rehearse(ADDRESS).endswith("(encrypted, logged in)")
    assert server.mails == []


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
    """A refusal is reported in the server's words, and as the sink's fault or not."""
    with (
        ScriptedSmtpServer(script) as server,
        email_sink(
            server.port,
            QUICK if words == "EHLO: it took too long" else MailLimits(),
            login="mastodon",
            password=PASSWORD,
        ) as sink,
        pytest.raises(error) as raised,
    ):
        sink.rehearse(ADDRESS)
    assert (raised.value.sink_wide, words in raised.value.reply) == (sink_wide, True), raised.value.reply


def test_no_address() -> None:
    """An address that no server is asked about."""
    with email_sink(1) as sink, pytest.raises(PermanentDeliveryError, match="is not a mail address"):
        sink.rehearse("admin")
