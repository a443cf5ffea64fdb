"""A hostile feed: stale, changing at each check, full of bad entries; what the program reports stays bounded."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from end_to_end.world import World
from simulators.http_server import Reply


@pytest.mark.parametrize(
    ("hours", "words"), [(730 * 24, "730 days old by its header Date"), (25, "1 day old by its header Date")]
)
def test_stale_answer_is_reported(world: World, hours: int, words: str) -> None:
    """Releases may be missing from it."""
    world.only("log")
    date = format_datetime(datetime.now(UTC) - timedelta(hours=hours), usegmt=True)
    world.update_server.fail(Reply(200, b'{"updatesAvailable": []}', {"Date": date}))
    check = world.run("check")
    assert (check.code, words in check.out) == (0, True)
    doctor = world.run("doctor", "--json")
    assert words in dict(doctor.findings("warning"))["update server"]
    world.update_server.fail(Reply(200, b'{"updatesAvailable": []}', {"Date": "yesterday"}))
    assert "stale" not in world.run("check").out


def test_support_date_that_moves_at_each_check(world: World) -> None:
    """Each recipient is notified of three dates of one stage, and no more."""
    for months in range(6):
        end = datetime.now(UTC).date() - timedelta(days=5 + 35 * months)
        world.update_server.set_current_end(end.isoformat())
        assert world.check().code == 0
    assert (len(world.mails), len(world.calls)) == (3, 3)


def test_release_with_endless_numbers_is_left_out(world: World) -> None:
    """A name that would be longer in its canonical spelling than may be read stops no later check."""
    entries = [{"version": version} for version in (f"4.6.{'1' * 138}rc{'1' * 56}", "4.6.0-rc.1")]
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.6.0-beta.1")
    world.update_server.fail(Reply(200, json.dumps({"updatesAvailable": entries}).encode()))
    for _ in range(2):
        assert world.check().code == 0
        world.let_pass(minutes=40)
    world.update_server.recover()
    world.update_server.publish("4.6.0", urgent=True)
    assert world.check().code == 0
    first, second = world.subjects
    assert ("4.6.0-rc.1" in first, "install Mastodon 4.6.0 " in second) == (True, True)


def test_warnings_are_counted(world: World) -> None:
    """Hundreds of bad entries cause twenty lines in the log and in `doctor`, and the number of the rest."""
    entries = [{"version": f"4.5.x{number}"} for number in range(900)] + [{"version": "4.5.20"}]
    world.update_server.fail(Reply.json({"updatesAvailable": entries}))
    warnings = [line["detail"] for line in world.check().events("check.degraded")]
    shown = world.run("doctor").out
    assert (len(warnings), warnings[-1]) == (21, "880 more warnings about the same answer")
    assert shown.count("updatesAvailable[") == 20
