"""Whom we trust: real certificates, good and bad."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from fetching import DIRECT, HURRIED, IMPATIENT, failure, fetch
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.client import get_document
from mastodon_update_check.http.request import DOCUMENT, Limits, Request
from simulators.http_server import (
    HttpServer,
    Reply,
)
from simulators.scripted_smtp_server import ScriptedSmtpServer


def test_authorities_are_read_afresh(
    tmp_path: Path, authority: trustme.CA, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's count: one that is installed while the process runs is trusted from the next conversation on."""
    installed = tmp_path / "ca.pem"
    installed.write_bytes(trustme.CA().cert_pem.bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(installed))
    with HttpServer(lambda _: Reply.json(1), tls=server_tls) as server:
        error = failure(server.url(host="localhost"), limits=DOCUMENT)
        assert error.cause == Cause.TLS
        expected = f"the certificate of localhost:{server.port} is not accepted: unable to get local issuer certificate"
        assert error.detail.startswith(expected)
        assert server.requests == []
        installed.write_bytes(authority.cert_pem.bytes())
        assert fetch(server.url(host="localhost")) == 1


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(("host", "fault"), [("localhost", "Hostname mismatch"), ("127.0.0.1", "IP address mismatch")])
def test_certificate_for_another_host(host: str, fault: str, foreign_tls: ssl.SSLContext) -> None:
    """A certificate that is valid for another host is refused; the `Host` header cannot change that."""
    with HttpServer(lambda _: Reply.json(1), tls=foreign_tls) as server, pytest.raises(CheckError) as caught:
        get_document(Request(url=server.url(host=host), host="elsewhere.example"), DIRECT)
    assert caught.value.cause == Cause.TLS
    expected = (
        f"the certificate of {host}:{server.port} is not accepted: {fault}, certificate is not valid for '{host}'"
    )
    assert caught.value.detail == expected


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(("days", "fault"), [((-9, -1), "has expired"), ((1, 9), "is not yet valid")])
def test_certificate_out_of_its_time(days: tuple[int, int], fault: str, authority: trustme.CA) -> None:
    """An expired certificate and a wrong clock are distinguished."""
    start, end = (datetime.now(UTC) + timedelta(days=day) for day in days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_before=start, not_after=end).configure_cert(context)
    with HttpServer(lambda _: Reply.json(1), tls=context) as server:
        error = failure(server.url(host="localhost"), limits=DOCUMENT)
    assert error.cause == Cause.TLS
    assert fault in error.detail


def test_https_where_something_else_is_spoken() -> None:
    """TLS with a plain server is a TLS failure; this one greets first, and does not hang up."""
    with ScriptedSmtpServer({}) as server:
        error = failure(f"https://127.0.0.1:{server.port}/", limits=DOCUMENT)
    assert error.cause == Cause.TLS
    assert error.detail.startswith("no TLS connection with 127.0.0.1")


@pytest.mark.parametrize(("limits", "fault"), [(IMPATIENT, "within 0.2 s"), (HURRIED, "longer than 0.2 s in all")])
def test_handshake_that_never_comes(limits: Limits, fault: str) -> None:
    """A server that accepts the connection and says nothing is left in time."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = failure(f"https://127.0.0.1:{silent.getsockname()[1]}/", limits=limits)
    assert error.cause == Cause.CONNECTION
    assert fault in error.detail
