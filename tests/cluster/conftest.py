"""What the tests of several nodes share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.crew import Crew
from ledger.places import postgres_place, url
from simulators.postgres import Postgres


@pytest.fixture
def crew(postgres: Postgres, tmp_path: Path) -> Iterator[Crew]:
    """Return a server on several machines, on none of which the daemon runs yet."""
    with postgres_place(postgres) as place, Crew(tmp_path, place, url(postgres, place.address.schema)) as crew:
        yield crew
