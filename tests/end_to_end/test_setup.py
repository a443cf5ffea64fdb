"""`setup` and `copy-settings` as processes, as far as they go on a machine where nothing is installed."""

import pytest

from end_to_end.world import World
from mastodon_update_check.mastodon.sql import install_script
from simulators.mastodon_tree import flags, write_tree


def test_print_sql(world: World) -> None:
    """The script can be run as it is printed: what stands above it are comments, with command lines to copy."""
    printed = world.run("setup", "--print-sql")
    comments, _, script = printed.out.partition("\n\n")
    assert (0, install_script()) == (printed.code, script)
    assert all(line.startswith("-- ") for line in comments.splitlines())


def test_print_sql_for_a_tree(world: World) -> None:
    """The lines have the names that Mastodon's settings give, and a tree that is none is refused."""
    tree = write_tree(world.directory / "live", flags("4.5.19"), "---\n")
    (tree / ".env.production").write_text("DB_HOST=/tmp/sockets\nDB_PORT=5433\nDB_NAME=social\n")
    printed = world.run("setup", "--print-sql", "--root", str(tree))
    assert f"-- Mastodon in {tree} names the database social at /tmp/sockets, port 5433.\n" in printed.out
    assert "| runuser -u postgres -- psql -X -v ON_ERROR_STOP=1 -h /tmp/sockets -p 5433 -d social\n" in printed.out
    refused = world.run("setup", "--print-sql", "--root", "/etc")
    assert (1, "") == (refused.code, refused.out)
    assert "/etc is not a tree of Mastodon's" in refused.err


@pytest.mark.parametrize("way", [["--dry-run", "--undo"], ["--tell", "later"], ["--print-sql", "--undo"]])
def test_wrong_usage(world: World, way: list[str]) -> None:
    """Conflicting options and invalid answers are refused first."""
    assert 2 == world.run("setup", *way).code


def test_bad_name(world: World) -> None:
    """A name that leads to another file is refused; no traceback, nothing copied."""
    assert 2 == world.run("copy-settings", "../../etc/passwd").code
