"""Fixtures of the tests of `setup`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from install.host import ENV, Host
from mastodon.databases import populated
from simulators.postgres import Postgres


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Return a host with this program's units and nothing else."""
    return Host(prefix=tmp_path / "host")


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """Return Mastodon's database, for one test alone."""
    yield populated(postgres, "to_be_set_up", "4.7")
    postgres.drop_database("to_be_set_up")


@pytest.fixture
def with_database(host: Host, postgres: Postgres, database: str) -> Host:
    """Return a host with Mastodon and its database."""
    host.add_database(postgres)
    host.install(f"{ENV}DB_HOST={postgres.directory}\nDB_PORT={postgres.port}\nDB_NAME={database}\n")
    return host
