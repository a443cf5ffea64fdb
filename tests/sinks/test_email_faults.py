"""Mail servers that refuse, stall, vanish or misbehave, at every step."""

import hmac
import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import pytest

from domain.examples import cases
from mastodon_update_check.domain.urls import is_loopback_host
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks import smtp
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.scripted_smtp_server import Answer, ScriptedSmtpServer, Wire
from simulators.smtp_server import SmtpServer
from sinks.examples import LOGIN, MESSAGE, PASSWORD, PATIENT, SHORT, email_sink, to

BEFORE_RCPT = ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL")
NAMES = {"CONNECT": "the connection", "END": "the mail"}


def attempt(script: Mapping[str, Sequence[Answer]], bounds: MailLimits = PATIENT, /, **options: str) -> DeliveryError:
    """Return the error of one attempt against this script, with `{server}` for host and port."""
    if "STARTTLS" in script:
        script = {"EHLO": ["250-mail.example\r\n250 STARTTLS"], **script}
    with (
        ScriptedSmtpServer(script) as server,
        email_sink(server.port, bounds, **options) as sink,
        pytest.raises(DeliveryError) as caught,
    ):
        sink.send(MESSAGE)
    error = caught.value
    error.reply = error.reply.replace(f"localhost:{server.port}", "{server}")
    assert "\n" not in error.reply
    return error


def test_the_final_dot_may_take_longer() -> None:
    """The reply to the mail has a bound of its own, longer than that of a command (RFC 5321, 4.5.3.2.6)."""
    with SmtpServer() as server, email_sink(server.port, replace(PATIENT, reply=0.6)) as sink:
        server.pause = 0.7
        sink.send(MESSAGE)
        sink.send(MESSAGE)

    assert [mail.connection for mail in server.mails] == [1, 1]


def test_silent_resolver_and_silent_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name resolution and all addresses of a host share the time of the connection."""
    given_up = threading.Event()

    def wait(*_: object) -> NoReturn:
        given_up.wait(20)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", wait)
    limits = replace(SHORT, opening=timedelta(seconds=0.2))
    with email_sink(25, limits) as sink, pytest.raises(TransientDeliveryError) as caught:
        sink.send(MESSAGE)
    given_up.set()

    assert str(caught.value) == "localhost:25 took longer than 0.2 s in all"
    assert caught.value.sink_wide


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA"])
def test_reply_that_was_not_asked_for(verb: str) -> None:
    """A server that answers more than it was asked is left before its second reply counts for the next command."""
    good = {"CONNECT": 220, "STARTTLS": 220, "AUTH": 235, "DATA": 354}.get(verb, 250)
    error = attempt({verb: [Wire(b"%d fine\r\n250 fine\r\n" % good)]}, **LOGIN)

    assert error.reply == f"{{server}} did not answer {NAMES.get(verb, verb)}: it answered more than it was asked"
    assert error.sink_wide == (verb in BEFORE_RCPT)


@pytest.mark.parametrize("reply", ["500 what?", "502 5.5.1 command not implemented"])
def test_server_that_knows_only_helo(reply: str) -> None:
    """HELO follows where the server does not know EHLO."""
    script: Mapping[str, list[Answer]] = {"EHLO": [reply], "HELO": ["250 mail.example"]}
    with ScriptedSmtpServer(script) as server, email_sink(server.port) as sink:
        sink.send(MESSAGE)

    assert server.verbs == ["EHLO", "HELO", "MAIL", "RCPT", "DATA", "QUIT"]


@pytest.mark.parametrize("options", [LOGIN, {"starttls": "always"}], ids=["a login is wanted", "TLS is wanted"])
def test_no_helo_where_extensions_are_needed(options: dict[str, str]) -> None:
    """HELO would send without what the settings ask for."""
    with (
        ScriptedSmtpServer({"EHLO": ["502 5.5.1 no"], "HELO": ["250 mail.example"]}) as server,
        email_sink(server.port, **options) as sink,
        pytest.raises(TransientDeliveryError, match="answered EHLO with 502"),
    ):
        sink.send(MESSAGE)

    assert server.verbs == ["EHLO"]


def test_no_such_host() -> None:
    """A name that does not resolve is in the error, and the sink's fault."""
    with email_sink(25, PATIENT, server="mail.invalid") as sink, pytest.raises(TransientDeliveryError) as caught:
        sink.send(MESSAGE)

    assert "the name of mail.invalid:25 cannot be resolved: " in str(caught.value)
    assert caught.value.sink_wide


def test_wire_format() -> None:
    """The commands are those of RFC 5321; lines end in CRLF, dots at their start are doubled, no line is too long."""
    text = ".\n..\n.dot\rcarriage\r\nreturn\n" + "long " * 500 + "x" * 2000 + "\nFrom me\nNUL\0 grüße\n."
    with ScriptedSmtpServer() as server, email_sink(server.port, PATIENT, from_address="a@x.example") as sink:
        sink.send(replace(MESSAGE, text=text, html=text))

    commands = ["ehlo social.example", "MAIL FROM:<a@x.example>", "RCPT TO:<admin@social.example>", "DATA", "QUIT"]
    assert server.lines == commands
    [body] = server.bodies
    lines = body.split(b"\r\n")
    assert [line for line in lines if b"\n" in line or b"\r" in line or len(line) > 78] == []
    assert [line for line in lines if line == b"."] == [b"."]
    assert body[-3:] == b".\r\n"
    assert [line for line in lines if line.startswith((b"=2E", b".."))][:3] == [b"=2E", b"...", b"..dot"]


@pytest.mark.parametrize(
    "address",
    ["ok@social.example> NOTIFY=NEVER", "ok@social.example\r\nRCPT TO:<evil@x.example>", "ok@x, evil@x", "ok", ""],
)
def test_unsafe_address(address: str) -> None:
    """An address that could say more than where to is refused before anything is connected."""
    with (
        ScriptedSmtpServer() as server,
        email_sink(server.port, PATIENT) as sink,
        pytest.raises(PermanentDeliveryError) as caught,
    ):
        sink.send(to(address))

    assert not caught.value.sink_wide
    assert "is not a mail address" in str(caught.value)
    assert server.lines == []


def test_challenges() -> None:
    """An answer that the server repeats is not shown; a challenge that is not base64 is the sink's fault."""
    digest = hmac.new(PASSWORD.encode(), b"no", "md5").hexdigest()
    answer = b64encode(f"mastodon {digest}".encode()).decode()
    # A line that is not a command: the script knows it by its text.
    script: dict[str, Sequence[Answer]] = {"AUTH": ["334 bm8="], answer.upper(): [f"535 5.7.8 bad: {answer}."]}

    assert attempt(script, auth_method="cram_md5", **LOGIN).reply == "{server} answered AUTH with 535 5.7.8 bad: …."
    error = attempt({"AUTH": ["334 ?"]}, auth_method="cram_md5", **LOGIN)
    assert (type(error), error.sink_wide) == (TransientDeliveryError, True)
    assert error.reply == "{server} sent a challenge for CRAM-MD5 that is not base64"


@cases(
    "offer starttls is_sent",
    ("no STARTTLS", "250 mail.example", "auto", False),
    ("SMTP_ENABLE_STARTTLS=never", "250 mail.example", "never", True),
    ("over TLS", "250-mail.example\r\n250 STARTTLS", "auto", True),
)
@pytest.mark.usefixtures("trusted_authority")
def test_password_over_a_network(
    server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, offer: str, starttls: str, *, is_sent: bool
) -> None:
    """Off loopback the password is sent over TLS, or because an administrator wants it unencrypted."""
    monkeypatch.setattr(smtp, "is_loopback_host", lambda _: False)
    with (
        ScriptedSmtpServer({"EHLO": [offer]}, tls=server_tls) as server,
        email_sink(server.port, PATIENT, starttls=starttls, **LOGIN) as sink,
        nullcontext() if is_sent else pytest.raises(TransientDeliveryError, match="not sent unencrypted"),
    ):
        sink.send(MESSAGE)

    assert ("AUTH" in server.verbs) == is_sent


@pytest.mark.parametrize(
    ("address", "expected"),
    [("127.1.2.3", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False), ("fe80::1%eth0", False)],
)
def test_is_loopback_host(address: str, *, expected: bool) -> None:
    """Only what never leaves the machine is loopback."""
    assert is_loopback_host(address) == expected
