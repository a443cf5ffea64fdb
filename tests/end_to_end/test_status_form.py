"""`status --json` against its description, and the performance data against the rules of monitoring plugins."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fastjsonschema
import pytest

from end_to_end.world import World
from simulators.http_server import Reply

SCHEMA = Path(__file__).parents[2] / "docs" / "status.schema.json"
PERFORMANCE = re.compile(r"[a-z_]+=-?\d+(?:s)?;[\d:]*;[\d:]*(?:;\d*)?")


def nothing(world: World) -> None:
    """Do nothing: there is no ledger."""
    assert not world.ledger.exists()


def quiet(world: World) -> None:
    """Check; nothing is newer."""
    world.check()


def busy(world: World) -> None:
    """Let everything be there that can be: releases of all kinds, the end of support, sinks that fail."""
    world.update_server.publish("4.5.20", urgent=True, end_of_support="2099-01-01")
    world.update_server.publish("5.0.0", type="major")
    world.update_server.set_current_end((datetime.now(UTC) + timedelta(days=3)).date().isoformat())
    world.smtp.replies["MAIL"] = "451 4.7.1 later | not now"
    world.answer_hook = lambda _: Reply(410)
    world.check()
    world.update_server.fail(503)
    world.check()


@pytest.mark.parametrize("prepare", [nothing, quiet, busy])
def test_json_keeps_to_its_form(world: World, prepare: Callable[[World], None]) -> None:
    """Every field is there, each of its type; the schema lets others be added, but here is none."""
    schema = json.loads(SCHEMA.read_text())
    for part in (schema, *schema["$defs"].values()):
        part["additionalProperties"] = False
    prepare(world)
    fastjsonschema.validate(schema, world.run("status", "--json").json)


def test_performance_data(world: World) -> None:
    """The first line has one bar, followed by label=value;warning;critical;minimum."""
    busy(world)
    first, *rest = world.run("status").out.splitlines()
    text, _, data = first.partition(" | ")
    words = data.split()
    labels = " ".join(word.partition("=")[0] for word in words)
    assert labels == "pending urgent undelivered last_good_check support_days"
    assert all(PERFORMANCE.fullmatch(word) for word in words), words
    assert "|" not in text
    assert (any("|" in line for line in rest), any("later / not now" in line for line in rest)) == (False, True)
    assert [*words[:3], words[-1]] == ["pending=2;;;0", "urgent=1;;0;0", "undelivered=2;;;0", "support_days=3;15:;0:"]
