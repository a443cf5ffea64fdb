"""Mail over TLS: in all its forms, with certificates that are trusted, and none that are not."""

import os
import ssl
from pathlib import Path

import pytest
import trustme

from captured_logs import capture_logs
from domain.examples import cases
from mastodon_update_check.errors import TransientDeliveryError
from simulators.scripted_smtp_server import Answer, Hang, ScriptedSmtpServer, Wire
from simulators.smtp_server import SmtpServer
from sinks.examples import LOGIN, MESSAGE, PATIENT, SHORT, USERS, email_sink, refusal, to

# aiosmtpd warns of what these servers are for: refusing and accepting passwords without TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


@pytest.mark.usefixtures("trusted_authority")
@cases(
    "implicit options encrypted",
    ("SMTP_TLS: from the first byte", True, {"tls": "true"}, True),
    ("always: over TLS", False, {"starttls": "always"}, True),
    ("auto: over TLS, since it is offered", False, {"starttls": "auto"}, True),
    ("auto is the default", False, {}, True),
    ("never: in the clear", False, {"starttls": "never"}, False),
    ("a certificate for an IP address", False, {"server": "127.0.0.1"}, True),
)
def test_encryption(server_tls: ssl.SSLContext, options: dict[str, str], *, implicit: bool, encrypted: bool) -> None:
    """SMTP_TLS and SMTP_ENABLE_STARTTLS decide how a mail is encrypted."""
    with SmtpServer(tls=server_tls, implicit=implicit) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [encrypted]


def test_starttls_required_but_not_offered() -> None:
    """`always` does not fall back to plain text: an attacker may have removed the offer."""
    with SmtpServer() as server:
        error = refusal(server, starttls="always")

    place = f"localhost:{server.port}"
    assert str(error) == f"{place} offers no STARTTLS, which SMTP_ENABLE_STARTTLS=always requires"
    assert error.sink_wide


def test_ca_file(server_tls: ssl.SSLContext, authority_file: Path) -> None:
    """SMTP_CA_FILE's authorities are trusted, also if the system does not."""
    options = {"ca_file": str(authority_file), "starttls": "always"}
    with SmtpServer(tls=server_tls) as server, email_sink(server.port, **options) as sink:
        sink.send(MESSAGE)

    assert [mail.encrypted for mail in server.mails] == [True]


@pytest.mark.usefixtures("trusted_authority")
@cases(
    "content why",
    ("missing", None, "no such file or directory"),
    ("a FIFO, which would be waited for", "fifo", "it is not a regular file"),
    ("a link", "link", "it is a symbolic link"),
    ("a directory", "directory", "it is a directory"),
    ("not a certificate", b"not PEM", "it holds no usable certificate"),
    ("large", b"x" * (4 << 20) + b"x", "it is larger than 4194304 bytes"),
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
        ("wrong name", "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("self-signed", "self-signed certificate"),
        ("unknown", "unable to get local issuer certificate"),
    ],
)
def test_certificate_refused(foreign_tls: ssl.SSLContext, certificate: str, why: str, *, implicit: bool) -> None:
    """A certificate that does not prove the server's name ends the attempt before anything is sent."""
    unknown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(unknown)
    contexts = {"wrong name": foreign_tls, "self-signed": self_signed(), "unknown": unknown}
    with SmtpServer(tls=contexts[certificate], implicit=implicit, users=USERS) as server:
        error = refusal(server, tls=str(implicit).lower(), **LOGIN)

    assert isinstance(error, TransientDeliveryError)
    assert error.sink_wide
    assert str(error).startswith(f"the certificate of localhost:{server.port} is not accepted: {why} (SMTP_CA_FILE ")


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


def test_server_that_never_speaks_tls() -> None:
    """A server that takes the connection and never speaks TLS is given up."""
    with (
        ScriptedSmtpServer({"CONNECT": [Hang()]}) as server,
        email_sink(server.port, SHORT, tls="true") as sink,
        pytest.raises(TransientDeliveryError) as caught,
    ):
        sink.send(MESSAGE)

    assert str(caught.value) == f"localhost:{server.port} did not answer in time"


@pytest.mark.usefixtures("trusted_authority")
def test_replies_injected_before_tls(server_tls: ssl.SSLContext) -> None:
    """A reply that an attacker appends to the one to STARTTLS does not count as the server's (CVE-2011-0411)."""
    script: dict[str, list[Answer]] = {
        "EHLO": ["250-mail.example\r\n250 STARTTLS", "250 mail.example"],
        "STARTTLS": [Wire(b"220 go ahead\r\n250-evil\r\n250 SMTPUTF8\r\n")],
    }
    with (
        ScriptedSmtpServer(script, tls=server_tls) as server,
        email_sink(server.port, PATIENT) as sink,
        pytest.raises(TransientDeliveryError) as caught,
    ):
        sink.send(to("jürgen@social.example"))

    assert str(caught.value).endswith("did not answer STARTTLS: it answered more than it was asked")
    assert server.verbs == ["EHLO", "STARTTLS"]
