"""Trying a mail server up to RCPT, without sending."""

import ssl
from pathlib import Path

import pytest

from mastodon_update_check.errors import PermanentDeliveryError
from simulators.scripted_smtp_server import Answer, ScriptedSmtpServer
from simulators.smtp_server import SmtpServer
from sinks.examples import ADDRESS, PASSWORD, email_sink

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


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


def test_refused_address() -> None:
    """An address that no server is asked about, and one that it refuses."""
    with email_sink(1) as sink, pytest.raises(PermanentDeliveryError, match="is not a mail address"):
        sink.rehearse("admin")
    script: dict[str, list[Answer]] = {"RCPT": ["550 5.1.1 unknown"]}
    with (
        ScriptedSmtpServer(script) as server,
        email_sink(server.port) as sink,
        pytest.raises(PermanentDeliveryError, match=r"answered RCPT with 550 5\.1\.1 unknown"),
    ):
        sink.rehearse(ADDRESS)
