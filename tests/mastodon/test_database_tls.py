"""The database over TLS: `DB_SSLMODE` means what it means to libpq."""

import ssl
from pathlib import Path

import pytest

from mastodon.databases import DIRECT, ask, populated, socket_address, tcp_address, trusted_address
from mastodon_update_check.errors import CheckError
from mastodon_update_check.mastodon.database_address import DatabaseAddress
from simulators.postgres import Postgres
from simulators.postgres_front import Front, tls


def address(port: int, database: str, **parameters: str) -> DatabaseAddress:
    """Return the administrator's address of a database on a port of loopback."""
    return trusted_address(host="127.0.0.1", port=port, dbname=database, user=DIRECT, password="right", **parameters)


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Return a database to be asked over TLS."""
    return populated(postgres, "over TLS", "4.7")


@pytest.mark.parametrize("sslmode", ["allow", "prefer", "require", "verify-ca", "verify-full"])
def test_good_certificate(
    postgres: Postgres, database: str, server_tls: ssl.SSLContext, authority_file: Path, sslmode: str
) -> None:
    """With the right certificate every mode works; this server knows TLS alone."""
    with Front(tls(server_tls, postgres.port)) as front:
        own = address(front.port, database, sslmode=sslmode, sslrootcert=str(authority_file))
        assert ask(own).verdicts


@pytest.mark.parametrize("sslmode", ["prefer", "require"])
def test_certificate_that_is_not_checked(
    postgres: Postgres, database: str, foreign_tls: ssl.SSLContext, sslmode: str
) -> None:
    """As in libpq, these modes take any certificate."""
    with Front(tls(foreign_tls, postgres.port)) as front:
        own = address(front.port, database, sslmode=sslmode, sslrootcert="/nowhere")
        assert ask(own).verdicts


def refusal(front: Front, database: str, sslmode: str, **parameters: str) -> str:
    """Return the end of the sentence with which asking fails."""
    with pytest.raises(CheckError) as caught:
        ask(address(front.port, database, sslmode=sslmode, **parameters))
    return caught.value.detail.removeprefix(f"PostgreSQL at 127.0.0.1:{front.port} ")


def test_certificate_for_another_host(
    postgres: Postgres, database: str, foreign_tls: ssl.SSLContext, authority_file: Path
) -> None:
    """`verify-full` compares the name, `verify-ca` does not."""
    with Front(tls(foreign_tls, postgres.port)) as front:
        assert ask(address(front.port, database, sslmode="verify-ca", sslrootcert=str(authority_file))).verdicts
        sentence = refusal(front, database, "verify-full", sslrootcert=str(authority_file))
        assert "does not match host name" in sentence


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
def test_certificate_of_an_authority_that_is_not_trusted(
    postgres: Postgres, database: str, server_tls: ssl.SSLContext, tmp_path: Path, sslmode: str
) -> None:
    """Both verifying modes want an authority that is known."""
    import trustme

    another = tmp_path / "another.pem"
    trustme.CA().cert_pem.write_to_path(another)
    with Front(tls(server_tls, postgres.port)) as front:
        assert "certificate verify failed" in refusal(front, database, sslmode, sslrootcert=str(another))


def test_server_without_tls(postgres: Postgres, database: str) -> None:
    """It is refused where TLS is asked for; over a unix socket the mode means nothing, as in libpq."""
    with pytest.raises(CheckError, match="server does not support SSL, but SSL was required"):
        ask(tcp_address(postgres.port, database, sslmode="require"))
    assert ask(socket_address(postgres, database, sslmode="verify-full")).verdicts


def test_no_authority(postgres: Postgres, database: str, server_tls: ssl.SSLContext) -> None:
    """Without the authority's certificate nothing can be verified: the error says how to name it."""
    with Front(tls(server_tls, postgres.port)) as front:
        sentence = refusal(front, database, "verify-full", sslrootcert="/nowhere/root.crt")
        assert 'root certificate file "/nowhere/root.crt" does not exist' in sentence
        assert sentence.endswith(
            "; sslrootcert in UPDATE_CHECK_DATABASE_URL can name it; files that other variables name are not opened"
        )
