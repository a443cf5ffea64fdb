"""What all tests share."""

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import trustme

if TYPE_CHECKING:
    from simulators.postgres import Postgres


os.umask(0o022)  # as the package's programs have it; Debian 13 gives people 0002, under which made-up hosts look unsafe


def _resolve_localhost() -> None:
    """Let this process resolve `localhost` on a machine without /etc/hosts, as containers may be."""
    try:
        socket.getaddrinfo("localhost", None)
    except OSError:
        resolve = socket.getaddrinfo
        socket.getaddrinfo = lambda host, *others, **named: resolve(
            "127.0.0.1" if host in {"localhost", b"localhost"} else host, *others, **named
        )


_resolve_localhost()
# How long an example takes depends on the machine; `make soak` takes the long profile.
hypothesis.settings.register_profile("short", deadline=None, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, max_examples=500)
hypothesis.settings.load_profile("short")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that only tests know."""
    return trustme.CA()


@pytest.fixture(scope="session")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the authority's certificate as a file, as an administrator would install it."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def trusted_authority(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this process's system certificates the test authority's alone."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
    return authority_file


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return a server's TLS context whose certificate names localhost and 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def foreign_tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return a server's TLS context whose certificate is for another host."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """Return a PostgreSQL server of these tests' own; databases are made as they are needed."""
    from simulators.postgres import Postgres

    with Postgres() as server:
        yield server
