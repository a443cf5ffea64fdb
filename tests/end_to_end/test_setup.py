"""`setup` and `copy-settings` as processes, as far as they go on a machine where nothing is installed."""

import pytest

from end_to_end.world import World
from mastodon_update_check.mastodon.sql import read_sql


def test_print_sql(world: World) -> None:
    """The script can be run as it is printed."""
    printed = world.run("setup", "--print-sql")
    assert (printed.code, printed.out) == (0, read_sql("install"))


@pytest.mark.parametrize("way", [["--dry-run", "--undo"], ["--tell", "later"], ["--print-sql", "--undo"]])
def test_wrong_usage(world: World, way: list[str]) -> None:
    """Conflicting options and invalid answers are refused first."""
    assert world.run("setup", *way).code == 2


def test_bad_name(world: World) -> None:
    """A name that leads to another file is refused; no traceback, nothing copied."""
    assert world.run("copy-settings", "../../etc/passwd").code == 2
