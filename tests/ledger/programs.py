"""Other processes that use the same ledger: several at once, and one that is killed in the middle."""

import subprocess
import sys
from pathlib import Path

KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.processes import record_heartbeat
from mastodon_update_check.ledger.sqlite import SqliteLocation

ledger = Ledger.create(SqliteLocation(Path(sys.argv[1])), "social.example")
with ledger.recording() as transaction:
    record_heartbeat(transaction, "committed", datetime(2026, 11, 23, tzinfo=UTC))
with ledger.writing() as transaction:
    transaction.keep_state(ServerState(failures=1), datetime(2026, 11, 23, tzinfo=UTC))
    os.kill(os.getpid(), signal.SIGKILL)
"""
AT_ONCE = """
import sys
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import find_location

print("ready", flush=True)
sys.stdin.readline()
with Ledger.create(find_location(sys.argv[1]), "social.example") as ledger:
    print(ledger.fingerprint("text"))
"""


def write_and_die(path: Path) -> None:
    """Let a process commit something, begin something else, and be killed."""
    died = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert died.returncode == -9
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0


def open_at_once(where: Path | str, count: int = 6) -> list[str]:
    """Let processes open, or create, the ledger at the same moment; return what each takes for its salt's print."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, str(where)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0] for process in processes]


READER = """
import sqlite3, sys

connection = sqlite3.connect(sys.argv[1])
print(connection.execute("SELECT count(*) FROM node").fetchone()[0])
connection.close()
"""


def look_from_outside(path: Path) -> int:
    """Let another process count the nodes: it would clear the side file away if it thought itself alone."""
    seen = subprocess.run([sys.executable, "-c", READER, str(path)], check=True, capture_output=True, text=True)
    return int(seen.stdout)
