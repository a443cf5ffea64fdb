"""SIGKILL while the ledger is migrated, backed up or replaced by a new one: no sent notice is forgotten."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from crashes.scenario import SITE, Scenario
from ledger.former import FORMER, lead_back
from mastodon_update_check.ledger.schema import SCHEMA_VERSION
from mastodon_update_check.ledger.sqlite import SqliteLocation
from processes.starters import KILLED, Forked

MIGRATION = """
import sqlite3, sys
from mastodon_update_check.ledger.schema import migrate

migrate(sqlite3.connect(sys.argv[1], isolation_level=None))
"""


def migrate(ledger: Path, fatal: int) -> int:
    """Migrate the ledger, and die at a step; return the exit code."""
    counted = ledger.with_name("steps")
    counted.unlink(missing_ok=True)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": SITE,
        "STEPS_FATAL": str(fatal),
        "STEPS_FILE": str(counted),
    }
    return subprocess.run([sys.executable, "-c", MIGRATION, str(ledger)], env=variables, check=False).returncode


def look(ledger: Path) -> tuple[int, bool, list[tuple[str, str]]]:
    """Return the schema's version, whether its last table is there, and every row's identity and state."""
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        columns = connection.execute("PRAGMA table_info(request)").fetchall()
        rows = connection.execute("SELECT identity, state FROM delivery ORDER BY identity, recipient_key").fetchall()
    return version, columns != [], rows


def test_killed_during_a_migration(forked: Forked) -> None:
    """A ledger is migrated completely or not at all, and keeps its rows; the next start migrates it."""
    with Scenario(forked) as scenario:
        notify_once(scenario)
        ledger = scenario.world.ledger
        lead_back(SqliteLocation(ledger))
        before = look(ledger)
        step, code, versions = 0, KILLED, []
        while code == KILLED:
            step += 1
            code = migrate(ledger, step)
            version, is_whole, rows = look(ledger)
            versions.append(version)
            assert (is_whole, rows) == (version == SCHEMA_VERSION, before[2])
        assert code == 0
        assert versions == [FORMER] * (step - 1) + [SCHEMA_VERSION]
        assert step > len(("BEGIN", "ALTER", "DROP", "CREATE", "INSERT", "COMMIT"))


def test_killed_during_a_backup(forked: Forked, tmp_path: Path) -> None:
    """The backup is complete or missing, and the ledger is unchanged."""
    with Scenario(forked) as scenario:
        notify_once(scenario)
        whole = look(scenario.world.ledger)
        steps = len(scenario.count_steps("ledger", "backup", str(tmp_path / "counted")))
        for step in range(1, steps + 1):
            target = tmp_path / f"backup.{step}"
            assert scenario.run_and_kill(step, "ledger", "backup", str(target))
            assert not target.exists() or look(target) == whole
            assert look(scenario.world.ledger) == whole
        assert scenario.run("check") == 0
        scenario.collector.check()


def test_killed_while_a_new_ledger_is_created(forked: Forked) -> None:
    """The old ledger stays complete, in its place or beside it; the command can be repeated, and notices repeat."""
    with Scenario(forked) as scenario:
        notify_once(scenario)
        whole = look(scenario.world.ledger)
        steps = scenario.count_steps("ledger", "new")
    of_files = [number for number, name in enumerate(steps, 1) if name.startswith(("os.", "open", "fsync", "COMMIT"))]
    assert {"os.rename", "os.link", "os.remove", "fsync"} <= set(steps)
    for step in of_files:
        with Scenario(forked) as scenario:
            notify_once(scenario)
            assert scenario.run_and_kill(step, "ledger", "new")
            kept = [*scenario.world.ledger.parent.glob("*.old"), scenario.world.ledger]
            assert whole[2] in [look(file)[2] for file in kept if file.exists()]
            for file in kept[:-1]:
                file.rename(file.with_suffix(".kept"))  # two in the same second would have the same name
            assert scenario.run("ledger", "new") == 0, scenario.errors
            for arrival in scenario.collector.arrivals:
                arrival.is_doubtful = True  # with a new ledger, pending notices repeat
            assert scenario.run("check") == 0
            scenario.collector.check()


def notify_once(scenario: Scenario) -> None:
    """Notify every recipient of a release."""
    scenario.publish("4.5.20")
    assert scenario.run("check") == 0
