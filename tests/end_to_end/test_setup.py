"""`setup` and `copy-settings` as processes, as far as they go on a machine where nothing is installed."""

import pytest

from end_to_end.world import World
from mastodon_update_check.mastodon.role_sql import install_script


def test_print_sql(world: World) -> None:
    """The script can be run as it is printed: what stands above it are comments, with command lines to copy."""
    printed = world.run("setup", "--print-sql")
    comments, _, script = printed.out.partition("\n\n")
    assert (0, install_script()) == (printed.code, script)
    assert all(line.startswith("-- ") for line in comments.splitlines())
    assert [True] * 3 == [
        words in comments for words in ("-p 5433", "docker compose exec -T db psql", "-h HOST -p 5432")
    ]


@pytest.mark.parametrize("way", [["--dry-run", "--undo"], ["--tell", "later"], ["--print-sql", "--undo"]])
def test_wrong_usage(world: World, way: list[str]) -> None:
    """What cannot go together, or is no answer, is refused before anything is looked at."""
    assert 2 == world.run("setup", *way).code


def test_bad_name(world: World) -> None:
    """A name that leads to another file is refused; no traceback, nothing copied."""
    assert 2 == world.run("copy-settings", "../../etc/passwd").code
