"""A ledger in PostgreSQL whose addresses do not answer."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.postgres_address import PostgresAddress
from mastodon_update_check.ledger.postgres_session import BOUNDS, PostgresSession
from simulators.silence import silent_port


def test_login_is_bounded_as_a_whole() -> None:
    """Eight addresses of two seconds each end after half a second together."""
    with silent_port() as port:
        hosts = ",".join(f"127.0.0.{number}:{port}" for number in range(1, 9))
        address = PostgresAddress.parse(f"postgresql://ledger@{hosts}/ledger", "UPDATE_CHECK_LEDGER")
        bounds = replace(BOUNDS, connect=timedelta(seconds=2), login=timedelta(seconds=0.5))
        session, began = PostgresSession(address, bounds), time.monotonic()
        with pytest.raises(LedgerError, match=r"took longer than 0\.5 s in all"), session.reading():
            pytest.fail("it was reached")
        assert time.monotonic() - began < 12
