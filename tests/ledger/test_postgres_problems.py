"""Problems with a ledger in PostgreSQL, in words: URLs, refused connections and the server's codes."""

import psycopg
import pytest

from domain.examples import cases
from mastodon_update_check.errors import LedgerError, SettingsError
from mastodon_update_check.ledger.location import find_location
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from simulators.http_server import unused_port


def test_a_server_that_is_not_there() -> None:
    """Said with the variable to look at, and without the password."""
    port = unused_port()
    place = find_location(f"postgresql://u:s3cret@127.0.0.1:{port}/d")
    with pytest.raises(LedgerError) as caught:
        place.exists()

    expected = "cannot be used as the role u: Connection refused; is it running? Check UPDATE_CHECK_LEDGER"
    assert str(caught.value) == f"the ledger cannot be used: PostgreSQL at 127.0.0.1:{port} {expected}"
    assert "s3cret" not in f"{caught.value!r} {place!r} {place}"


@cases(
    "text words",
    ("postgresql://u:s3cr/et@h/d", "has a password whose special characters must be escaped"),
    ("postgresql://u:s3cr?et@h/d", "not a connection string|must be escaped|cannot be read"),
    ("postgresql://u@h/d?colour=s3cret", "is not a connection string that PostgreSQL's libpq can read"),
    ("postgresql://u@h/d?s3cret", "has a query .* that cannot be read"),
    ("postgresql://u@h/d?schema=S3cret", "names a schema that cannot be used"),
    ("postgresql://u@h/d?schema=pg_x", "names a schema that cannot be used"),
    ("postgresql://u@h/d?schema=", "names a schema that cannot be used"),
)
def test_urls_that_cannot_be_read(text: str, words: str) -> None:
    """Nothing of them is repeated: any piece may be the password."""
    with pytest.raises(SettingsError, match=f"^UPDATE_CHECK_LEDGER {words}") as caught:
        find_location(text)

    assert "s3cr" not in str(caught.value).lower()


@cases(
    "code words",
    ("25006", "can only be read, as on a standby: name the primary"),
    ("40P01", r"cannot be used \(40P01: .*\)"),
    ("53100", "the server's disk is full; nothing is sent until there is room"),
    ("XX001", r"is damaged \(.*\); restore a backup"),
    ("42P01", r"is gone \(.*\); restore a backup"),
    ("22P05", "must be made with the encoding UTF8"),
    ("22023", r"cannot be used \(22023: .*\)"),
)
def test_every_error_is_a_sentence(code: str, words: str) -> None:
    """Codes that are known become advice; others are passed on with the server's words."""
    location = PostgresLocation.parse("postgresql://u@h/d", "UPDATE_CHECK_LEDGER")
    error = psycopg.errors.lookup(code)("words")
    where = r"the ledger in PostgreSQL at h:5432 \(schema mastodon_update_check_ledger of the database d\)"
    with pytest.raises(LedgerError, match=f"{where}.*{words}"), location.translated():
        raise error
