"""Several processes do to one ledger, as fast as they can, whatever daemons do: none stands in another's way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.places import postgres_place, query, url
from simulators.postgres import Postgres

SECONDS = 30
PROCESSES = 4
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.mark.timeout(180)
def test_hammered() -> None:
    """Nothing fails, the server has found no deadlock, and nothing is left over in the middle."""
    script = Path(__file__).with_name("hammer.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[1])}
    with Postgres() as postgres, postgres_place(postgres) as place:
        where = url(postgres, place.address.schema)
        processes = [
            subprocess.Popen(
                (sys.executable, script, where, str(SECONDS), str(seed)),
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for seed in range(PROCESSES)
        ]
        outcomes = [(process.communicate(), process.returncode) for process in processes]

        assert [("", 0)] * PROCESSES == [(err, code) for (_, err), code in outcomes]
        assert sum(int(out) for (out, _), _ in outcomes) > PROCESSES * SECONDS / 2
        assert [(0,)] == query(place, DEADLOCKS)
        empty = "SELECT 1 FROM message WHERE state IN ('pending', 'failed') AND NOT EXISTS (SELECT 1 FROM delivery"
        assert [] == query(place, f"{empty} WHERE message_id = message.id AND state IN ('pending', 'failed'))")
