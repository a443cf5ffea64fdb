"""Mail over a real mail server: TLS in all its forms, logging in, keeping the connection."""

import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from captured_logs import capture_logs
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.email import create
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.smtp_server import SmtpServer
from sinks.examples import ADDRESS, MESSAGE, PASSWORD, email_sink, to

# aiosmtpd warns of what these servers are for: refusing and accepting passwords without TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

USERS = {"mastodon": PASSWORD}
CREDENTIALS = {"login": "mastodon", "password": PASSWORD}


def refusal(server: SmtpServer, **options: str) -> DeliveryError:
    """Return the error of an attempt, which must fail and leave no mail behind."""
    with email_sink(server.port, **options) as sink, pytest.raises(DeliveryError) as caught:
        sink.send(MESSAGE)
    assert server.mails == []
    return caught.value


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


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(
    ("options", "encrypted"),
    [
        pytest.param({"starttls": "always"}, True, id="always: over TLS"),
        pytest.param({"starttls": "auto"}, True, id="auto: over TLS, since it is offered"),
        pytest.param({}, True, id="auto is the default"),
        pytest.param({"starttls": "never"}, False, id="never: in the clear"),
        pytest.param({"server": "127.0.0.1"}, True, id="a certificate for an IP address"),
    ],
)
def test_starttls(server_tls: ssl.SSLContext, options: dict[str, str], *, encrypted: bool) -> None:
    """SMTP_ENABLE_STARTTLS decides whether an offer of STARTTLS is used."""
    with SmtpServer(tls=server_tls) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [encrypted] == [mail.encrypted for mail in server.mails]


def test_starttls_required_but_not_offered() -> None:
    """`always` does not fall back to plain text: an attacker may have removed the offer."""
    with SmtpServer() as server:
        error = refusal(server, starttls="always")

    place = f"localhost:{server.port}"
    assert str(error) == f"{place} does not offer STARTTLS, which SMTP_ENABLE_STARTTLS=always requires"
    assert error.sink_wide


@pytest.mark.usefixtures("trusted_authority")
def test_implicit_tls(server_tls: ssl.SSLContext) -> None:
    """SMTP_TLS speaks TLS from the first byte."""
    with SmtpServer(tls=server_tls, implicit=True) as server, email_sink(server.port, tls="true") as sink:
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [True]


def test_ca_file(server_tls: ssl.SSLContext, authority_file: Path) -> None:
    """SMTP_CA_FILE's authorities are trusted, also if the system does not."""
    options = {"ca_file": str(authority_file), "starttls": "always"}
    with SmtpServer(tls=server_tls) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [True]


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(None, "no such file or directory", id="missing"),
        pytest.param("fifo", "it is not a regular file", id="a FIFO, which would be waited for"),
        pytest.param("link", "it is a symbolic link", id="a link"),
        pytest.param("directory", "it is a directory", id="a directory"),
        pytest.param(b"not PEM", "it holds no usable certificate", id="not a certificate"),
        pytest.param(b"x" * (4 << 20) + b"x", "it is larger than 4194304 bytes", id="large"),
    ],
)
def test_ca_file_that_cannot_be_used(
    server_tls: ssl.SSLContext, tmp_path: Path, content: str | bytes | None, why: str
) -> None:
    """SMTP_CA_FILE may belong to another user: it is ignored with a warning, and the system's authorities count."""
    file = tmp_path / "ca.pem"
    match content:
        case "fifo":
            os.mkfifo(file)
        case "link":
            file.symlink_to("/etc/hostname")
        case "directory":
            file.mkdir()
        case bytes():
            file.write_bytes(content)
    with (
        capture_logs() as lines,
        SmtpServer(tls=server_tls) as server,
        email_sink(server.port, ca_file=str(file)) as sink,
    ):
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [True]
    assert [(line["event"], line["detail"]) for line in lines] == [("ca_file.ignored", why)]


def self_signed() -> ssl.SSLContext:
    """Return a server's context with a self-signed certificate, such as Debian's snake-oil one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = trustme.CA()
    with own.cert_pem.tempfile() as certificate, own.private_key_pem.tempfile() as key:
        context.load_cert_chain(certificate, key)
    return context


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize("implicit", [True, False], ids=["from the first byte", "after STARTTLS"])
@pytest.mark.parametrize(
    ("certificate", "why"),
    [
        pytest.param(
            "wrong name",
            "is not accepted: Hostname mismatch, certificate is not valid for 'localhost'",
            id="of another host",
        ),
        pytest.param("self-signed", "is not accepted: self-signed certificate", id="self-signed"),
        pytest.param(
            "unknown",
            "is not accepted: unable to get local issuer certificate",
            id="of an authority that is not trusted",
        ),
    ],
)
def test_certificate_refused(foreign_tls: ssl.SSLContext, certificate: str, why: str, *, implicit: bool) -> None:
    """A certificate that does not prove the server's name ends the attempt before anything is sent."""
    unknown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(unknown)
    contexts = {"wrong name": foreign_tls, "self-signed": self_signed(), "unknown": unknown}
    with SmtpServer(tls=contexts[certificate], implicit=implicit, users=USERS) as server:
        error = refusal(server, tls=str(implicit).lower(), **CREDENTIALS)

    assert isinstance(error, TransientDeliveryError)
    assert error.sink_wide
    assert str(error).startswith(f"the certificate of localhost:{server.port} {why} (SMTP_CA_FILE names ")


@pytest.mark.parametrize("implicit", [True, False], ids=["from the first byte", "after STARTTLS"])
def test_unverified(foreign_tls: ssl.SSLContext, *, implicit: bool) -> None:
    """SMTP_OPENSSL_VERIFY_MODE=none takes any certificate."""
    options = {"openssl_verify_mode": "none", "tls": str(implicit).lower()}
    with (
        SmtpServer(tls=foreign_tls, implicit=implicit) as server,
        email_sink(server.port, **options) as sink,
    ):
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [True]


def test_tls_with_a_plain_server() -> None:
    """SMTP_TLS against a server that greets in the clear says that TLS failed."""
    with SmtpServer() as server:
        error = refusal(server, tls="true")

    assert f"no TLS connection with localhost:{server.port}: " in str(error)
    assert error.sink_wide


@pytest.mark.parametrize("method", ["plain", "login", "cram_md5", ""])
def test_authentication(method: str) -> None:
    """Each method of SMTP_AUTH_METHOD logs in; on loopback without TLS too, plain by default."""
    with SmtpServer(users=USERS) as server, email_sink(server.port, auth_method=method, **CREDENTIALS) as sink:
        sink.send(MESSAGE)

    assert [mail.login for mail in server.mails] == ["mastodon"]


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize("method", ["plain", "login", "cram_md5"])
def test_authentication_over_tls(server_tls: ssl.SSLContext, method: str) -> None:
    """Logging in works the same after STARTTLS, with a password that is not ASCII."""
    users = {"mastodon": "pässwörd"}
    options = {"login": "mastodon", "password": "pässwörd", "auth_method": method, "starttls": "always"}
    with SmtpServer(tls=server_tls, users=users) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [(mail.login, mail.encrypted) for mail in server.mails] == [("mastodon", True)]


def test_no_authentication() -> None:
    """SMTP_AUTH_METHOD=none does not log in, with any login."""
    with SmtpServer() as server, email_sink(server.port, auth_method="none", **CREDENTIALS) as sink:
        sink.send(MESSAGE)

    assert [mail.login for mail in server.mails] == [""]


@pytest.mark.parametrize("method", ["plain", "login", "cram_md5"])
def test_wrong_password(method: str) -> None:
    """A refused log-in is the sink's fault, and the password stays secret."""
    with SmtpServer(users={"mastodon": "something else"}) as server:
        error = refusal(server, auth_method=method, **CREDENTIALS)

    assert error.sink_wide
    assert isinstance(error, TransientDeliveryError)
    assert str(error) == f"localhost:{server.port} answered AUTH with 535 5.7.8 Authentication credentials invalid"


def test_missing_login() -> None:
    """A missing login is the sink's fault, not the recipient's."""
    with SmtpServer(users=USERS) as server:
        error = refusal(server)

    assert error.sink_wide
    assert "answered MAIL with 530 5.7.0 Authentication required" in str(error)


def test_connection_is_kept() -> None:
    """Mails go one after the other over one connection, each with its own envelope."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        for number in range(3):
            sink.send(to(f"admin{number}@social.example"))

    assert [mail.connection for mail in server.mails] == [1, 1, 1]
    assert [f"admin{number}@social.example" for number in range(3)] == [mail.recipient for mail in server.mails]


def test_connection_is_renewed() -> None:
    """After the agreed number of mails a new connection is made: some servers count."""
    with SmtpServer() as server, email_sink(server.port, MailLimits(mails=2)) as sink:
        for number in range(5):
            sink.send(to(f"admin{number}@social.example"))

    assert [mail.connection for mail in server.mails] == [1, 1, 2, 2, 3]


def test_closed_sink_opens_again() -> None:
    """`close` ends the connection; the next mail goes over a new one."""
    with SmtpServer() as server, email_sink(server.port) as sink:
        sink.send(MESSAGE)
        sink.close()
        sink.send(MESSAGE)

    assert [mail.connection for mail in server.mails] == [1, 2]


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


def test_too_big() -> None:
    """A mail over the server's limit (552) is refused for good, this mail alone."""
    with SmtpServer(size=2000) as server, email_sink(server.port) as sink:
        with pytest.raises(PermanentDeliveryError) as caught:
            sink.send(replace(MESSAGE, text="much to say " * 500))
        sink.send(MESSAGE)

    assert "552" in str(caught.value)
    assert not caught.value.sink_wide
    assert len(server.mails) == 1


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
