"""The lines of Mastodon's file that are copied for the service."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastodon_update_check.config.dotenv import expand, parse
from mastodon_update_check.config.variables import is_taken_from_mastodon
from mastodon_update_check.install.copying import excerpt, own_values, values

FILE = """\
# Generated with mastodon:setup
LOCAL_DOMAIN=social.example
SECRET_KEY_BASE=0123456789abcdef
OTP_SECRET=fedcba9876543210
DB_HOST=/var/run/postgresql
DB_PASS=of-the-database
DATABASE_URL=postgresql://mastodon:of-the-database@localhost/mastodon_production
REDIS_PASSWORD=of-redis
  export SMTP_LOGIN = "mailer"   # who sends
SMTP_PASSWORD='two
lines'
SMTP_FROM_ADDRESS=notifications@$LOCAL_DOMAIN
NAMED=ops
SMTP_REPLY_TO=${NAMED}@social.example
AWS_SECRET_ACCESS_KEY=of-the-storage
UPDATE_CHECK_URL=
MASTODON_VERSION_METADATA=kirschtorte
https_proxy=http://proxy.example:3128
"""


def test_needed_lines_and_no_others() -> None:
    """Domain, mail, database, proxy and version are copied as written, and no secret that serves something else."""
    assert excerpt(parse(FILE), with_login=False) == (
        "LOCAL_DOMAIN=social.example\n"
        "DB_HOST=/var/run/postgresql\n"
        'export SMTP_LOGIN = "mailer"\n'
        "SMTP_PASSWORD='two\nlines'\n"
        "SMTP_FROM_ADDRESS=notifications@$LOCAL_DOMAIN\n"
        "NAMED=ops\n"
        "SMTP_REPLY_TO=${NAMED}@social.example\n"
        "UPDATE_CHECK_URL=\n"
        "MASTODON_VERSION_METADATA=kirschtorte\n"
        "https_proxy=http://proxy.example:3128\n"
    )


def test_value_cannot_add_another_line() -> None:
    """No value can make the copy assign other names than the needed ones."""
    text = 'SMTP_PASSWORD="x\nUPDATE_CHECK_LEDGER=/etc/passwd\nDB_PASS=y"\nDB_NAME=a\rUPDATE_CHECK_CONFIG=/x\n'
    copy = parse(excerpt(parse(text), with_login=False))
    assert [assignment.name for assignment in copy] == ["SMTP_PASSWORD", "DB_NAME"]


PIECES = st.sampled_from(
    [
        *("SMTP_LOGIN=", "DB_NAME", "LOCAL_DOMAIN: ", "OTHER=", "export ", "$DB_NAME", "${OTHER}"),
        *("=", "\n", "\r", "'", '"', "\\", "#", " ", "a"),
    ]
)


@given(text=st.lists(PIECES, max_size=30).map("".join))
def test_copy_has_the_values_of_the_file(text: str) -> None:
    """The copy has the same values as the file itself."""
    document, copy = parse(text), parse(excerpt(parse(text), with_login=True))
    wanted = {assignment.name for assignment in document if is_taken_from_mastodon(assignment.name)}
    assert expand(document, wanted, {}) == expand(copy, wanted, {})


def test_values_are_those_that_the_service_will_find() -> None:
    """They are expanded; a command is not a value."""
    found = values(parse(f"{FILE}SMTP_SERVER=$(cat /etc/shadow)\n"))
    assert (found["SMTP_FROM_ADDRESS"], "SMTP_SERVER" in found) == ("notifications@social.example", False)


@pytest.mark.parametrize(
    ("text", "expected"), [("A=1\nB='2'\nC=\n", {"A": "1", "B": "2"}), ("\ufeffA=1\n", {"A": "1"}), (None, {})]
)
def test_own_values(text: str | None, expected: dict[str, str], tmp_path: Path) -> None:
    """Of our own file the variables that are set are read, if there is a file."""
    if text is not None:
        (tmp_path / "config.env").write_text(text)
    assert own_values(tmp_path / "config.env") == expected
