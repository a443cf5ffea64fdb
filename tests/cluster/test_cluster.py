"""Four daemons on one ledger in PostgreSQL; `make cluster` goes through 200 rounds of this."""

from pathlib import Path

import pytest

from cluster.life import BOUND, Life
from ledger.places import postgres_place, url
from simulators.postgres import Postgres


@pytest.mark.timeout(300)
def test_killed_and_frozen(postgres: Postgres, tmp_path: Path) -> None:
    """One daemon is killed and one frozen in the middle of a delivery: nobody is forgotten, nobody told twice."""
    with postgres_place(postgres) as place:
        figures = Life(tmp_path, place, url(postgres, place.address.schema)).live(rounds=2, first=0)

    assert ([], []) == (figures.lost, figures.repeats_outside)
    assert 2 * 8 == figures.told
    assert figures.longest_without_check < BOUND.total_seconds()
