"""A ledger of a thousand recipients can be copied and backed up like any other."""

from pathlib import Path

import pytest

from cluster.years import measure
from simulators.postgres import Postgres


@pytest.mark.timeout(600)
def test_a_thousand_recipients_for_half_a_year(postgres: Postgres, tmp_path: Path) -> None:
    """Nothing is missing; `python -m cluster.years` measures ten years."""
    assert 3 == len(measure(postgres, tmp_path, 26))
