"""Mail over a real mail server: envelopes, logins, and recipients that it refuses or can reach."""

import ssl
from pathlib import Path

import pytest

from mastodon_update_check.errors import PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.email import create
from simulators.scripted_smtp_server import Answer, ScriptedSmtpServer
from simulators.smtp_server import SmtpServer
from sinks.examples import ADDRESS, LOGIN, MESSAGE, PASSWORD, USERS, email_sink, refusal, to

# aiosmtpd warns of what these servers are for: refusing and accepting passwords without TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def test_plain() -> None:
    """A server without TLS and log-in gets the mail, and its reply comes back."""
    with (
        SmtpServer() as server,
        email_sink(server.port, from_address="Mastodon <notifications@social.example>") as sink,
    ):
        reply = sink.send(MESSAGE)

    [mail] = server.mails
    assert reply == "250 2.0.0 OK: queued as 1"
    assert (mail.sender, mail.recipient) == ("notifications@social.example", ADDRESS)
    assert (server.greeted, mail.encrypted, mail.login) == (["social.example"], False, "")


def test_defaults() -> None:
    """Without options mail goes to localhost:25, from Mastodon's default address."""
    with SmtpServer() as server, email_sink(server.port, domain="") as sink:
        sink.send(MESSAGE)

    assert server.greeted == ["localhost"]
    assert server.mails[0].sender == "notifications@localhost"
    assert create({})._options.place == "localhost:25"


def test_envelope_sender() -> None:
    """SMTP_RETURN_PATH is the envelope's sender; From and Reply-To stay what they are."""
    addresses = {"from_address": "a@x.example", "return_path": "b@x.example", "reply_to": "Ops <c@x.example>"}
    with SmtpServer() as server, email_sink(server.port, **addresses) as sink:
        sink.send(MESSAGE)

    [mail] = server.mails
    assert mail.sender == "b@x.example"
    assert (mail.message["From"], mail.message["Reply-To"]) == ("a@x.example", "Ops <c@x.example>")


@pytest.mark.parametrize("method", ["plain", "login", "cram_md5", "", "none"])
def test_authentication(method: str) -> None:
    """Each method of SMTP_AUTH_METHOD but `none` logs in; on loopback without TLS too, plain by default."""
    users = {} if method == "none" else USERS
    with SmtpServer(users=users) as server, email_sink(server.port, auth_method=method, **LOGIN) as sink:
        sink.send(MESSAGE)

    assert [mail.login for mail in server.mails] == ["" if method == "none" else "mastodon"]


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize("method", ["plain", "login", "cram_md5"])
def test_authentication_over_tls(server_tls: ssl.SSLContext, method: str) -> None:
    """Logging in works the same after STARTTLS, with a password that is not ASCII."""
    users = {"mastodon": "pässwörd"}
    options = {"login": "mastodon", "password": "pässwörd", "auth_method": method, "starttls": "always"}
    with SmtpServer(tls=server_tls, users=users) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [(mail.login, mail.encrypted) for mail in server.mails] == [("mastodon", True)]


@pytest.mark.parametrize("method", ["plain", "login", "cram_md5"])
def test_wrong_password(method: str) -> None:
    """A refused log-in is the sink's fault, and the password stays secret."""
    with SmtpServer(users={"mastodon": "something else"}) as server:
        error = refusal(server, auth_method=method, **LOGIN)

    assert error.sink_wide
    assert isinstance(error, TransientDeliveryError)
    assert str(error) == f"localhost:{server.port} answered AUTH with 535 5.7.8 Authentication credentials invalid"


def test_refused_recipient_leaves_the_others_alone() -> None:
    """One bad address is refused for good; the next mail goes over the same connection."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        server.refused["gone@social.example"] = "550 5.1.1 no such user"
        sink.send(to("first@social.example"))
        with pytest.raises(PermanentDeliveryError) as caught:
            sink.send(to("gone@social.example"))
        sink.send(to("last@social.example"))

    assert str(caught.value) == f"localhost:{server.port} answered RCPT with 550 5.1.1 no such user"
    assert not caught.value.sink_wide
    assert [(mail.recipient, mail.connection) for mail in server.mails] == [
        ("first@social.example", 1),
        ("last@social.example", 1),
    ]


def test_international_domain() -> None:
    """A domain that is not ASCII goes out as A-labels, by IDNA 2008: ß stays ß."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        sink.send(to("admin@straße.example"))

    [mail] = server.mails
    assert mail.recipient == "admin@xn--strae-oqa.example"
    assert b"\r\nTo: admin@xn--strae-oqa.example\r\n" in mail.data


def test_international_local_part() -> None:
    """A local part that is not ASCII takes SMTPUTF8, and is written as it is."""
    with SmtpServer(smtputf8=True) as server, email_sink(server.port) as sink:
        sink.send(to("jürgen@bücher.example"))
        sink.send(to("next@social.example"))

    first, second = server.mails
    assert (first.recipient, first.options) == ("jürgen@xn--bcher-kva.example", ("SMTPUTF8",))
    assert "\r\nTo: jürgen@xn--bcher-kva.example\r\n".encode() in first.data
    assert second.options == ()


def test_international_local_part_not_supported() -> None:
    """Without SMTPUTF8 such an address cannot be reached; everybody else can, over the same connection."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        with pytest.raises(PermanentDeliveryError) as caught:
            sink.send(to("jürgen@social.example"))
        sink.send(MESSAGE)

    assert not caught.value.sink_wide
    assert "needs a mail server with SMTPUTF8" in str(caught.value)
    assert [(mail.recipient, mail.connection) for mail in server.mails] == [(ADDRESS, 1)]


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
