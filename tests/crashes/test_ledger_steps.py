"""SIGKILL while the ledger is migrated, backed up or begun anew: what was told is never forgotten by half."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from crashes.anew import SITE
from crashes.scene import Scene
from mastodon_update_check.ledger.schema import SCHEMA_VERSION
from processes.starters import KILLED, Forked

MIGRATION = """
import sqlite3, sys
from mastodon_update_check.ledger.schema import MIGRATIONS, migrate

further = (
    "ALTER TABLE delivery ADD COLUMN further TEXT",
    "CREATE INDEX delivery_further ON delivery (further)",
    "UPDATE delivery SET further = identity",
)
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
migrate(connection, (*MIGRATIONS, further))
"""


def migrate(ledger: Path, fatal: int) -> int:
    """Migrate the ledger to the schema of a version to come, and die at a step; return the exit code."""
    counted = ledger.with_name("steps")
    counted.unlink(missing_ok=True)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SITE),
        "STEPS_FATAL": str(fatal),
        "STEPS_FILE": str(counted),
    }
    return subprocess.run([sys.executable, "-c", MIGRATION, str(ledger)], env=variables, check=False).returncode


def look(ledger: Path) -> tuple[int, bool, list[tuple[str, str]]]:
    """Return the schema's version, whether the new column is there, and every row's identity and state."""
    with closing(sqlite3.connect(ledger)) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        columns = [column[1] for column in connection.execute("PRAGMA table_info(delivery)").fetchall()]
        rows = connection.execute("SELECT identity, state FROM delivery ORDER BY identity, recipient_key").fetchall()
    return version, "further" in columns, rows


def test_killed_while_it_migrates(forked: Forked) -> None:
    """A ledger is migrated whole or not at all; what it holds is the same, and the next start goes on from there."""
    with Scene(forked) as scene:
        tell_once(scene)
        ledger = scene.world.ledger
        before = look(ledger)
        step, code, versions = 0, KILLED, []
        while code == KILLED:
            step += 1
            code = migrate(ledger, step)
            version, is_further, rows = look(ledger)
            versions.append(version)
            assert (is_further, rows) == (version > SCHEMA_VERSION, before[2])
        assert 0 == code
        assert [SCHEMA_VERSION] * (step - 1) == versions[:-1]
        assert SCHEMA_VERSION + 1 == versions[-1]
        assert step > len(("BEGIN", "ALTER", "CREATE", "UPDATE", "COMMIT"))


def test_killed_while_it_backs_up(forked: Forked, tmp_path: Path) -> None:
    """The backup is there whole or not at all, and the ledger does not notice."""
    with Scene(forked) as scene:
        tell_once(scene)
        whole = look(scene.world.ledger)
        steps = len(scene.count_steps("ledger", "backup", str(tmp_path / "counted")))
        for step in range(1, steps + 1):
            target = tmp_path / f"backup.{step}"
            assert scene.run_fatally(step, "ledger", "backup", str(target))
            assert not target.exists() or look(target) == whole
            assert look(scene.world.ledger) == whole
        assert 0 == scene.run("check")
        scene.collector.check()


def test_killed_while_it_begins_anew(forked: Forked) -> None:
    """The old ledger stays whole, in its place or beside it; done again, there is a new one which tells anew."""
    with Scene(forked) as scene:
        tell_once(scene)
        whole = look(scene.world.ledger)
        steps = scene.count_steps("ledger", "new")
    of_files = [number for number, name in enumerate(steps, 1) if name.startswith(("os.", "open", "fsync", "COMMIT"))]
    assert {"os.rename", "os.link", "os.remove", "fsync"} <= set(steps)
    for step in of_files:
        with Scene(forked) as scene:
            tell_once(scene)
            assert scene.run_fatally(step, "ledger", "new")
            kept = [*scene.world.ledger.parent.glob("*.old"), scene.world.ledger]
            assert whole[2] in [look(file)[2] for file in kept if file.exists()]
            for file in kept[:-1]:
                file.rename(file.with_suffix(".kept"))  # two in one second would have one name, which is refused
            assert 0 == scene.run("ledger", "new"), scene.said
            for arrival in scene.collector.arrivals:
                arrival.is_doubtful = True  # a new ledger tells again what is pending
            assert 0 == scene.run("check")
            scene.collector.check()


def tell_once(scene: Scene) -> None:
    """Let everybody be told of a release."""
    scene.publish("4.5.20")
    assert 0 == scene.run("check")
