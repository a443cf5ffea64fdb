"""A PostgreSQL server for figures that need one: the tests' own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.stage import HERE

sys.path.append(str(HERE.parent / "tests"))  # the simulators
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

__all__ = ["Postgres", "people", "postgres_ledger", "schema"]


@contextmanager
def postgres_ledger() -> Iterator[str]:
    """Return the URL of a ledger that may be created."""
    with Postgres() as postgres:
        postgres.create_database("ledgers", "", "ledger")
        yield f"postgresql://ledger@/ledgers?host={postgres.directory}&port={postgres.port}&schema=ledger"
