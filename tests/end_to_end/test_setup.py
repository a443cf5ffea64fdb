"""`setup` as a process, as far as it goes on a machine where nothing is installed; transcripts have wrong usage."""

from end_to_end.world import World
from mastodon_update_check.mastodon.sql import read_sql


def test_print_sql(world: World) -> None:
    """The script can be run as it is printed; an invalid answer to a question is refused first."""
    printed = world.run("setup", "--print-sql")
    assert (printed.code, printed.out) == (0, read_sql("install"))
    assert world.run("setup", "--tell", "later").code == 2
