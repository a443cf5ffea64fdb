"""A world whose ledger is in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from end_to_end.world import World
from ledger.locations import DATABASE, ROLE, postgres_location
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from simulators.postgres import Postgres


@contextmanager
def sharing(world: World, postgres: Postgres) -> Iterator[PostgresLocation]:
    """Have it in a schema of its own, over TCP and with a password; 4.5.20 is out, and mail is the only sink."""
    with postgres_location(postgres) as place:
        schema = place.address.schema
        world.only("email")
        world.set(STATE_DIRECTORY=str(world.ledger.parent))
        world.set(UPDATE_CHECK_LEDGER=f"postgresql://{ROLE}:right@127.0.0.1:{postgres.port}/{DATABASE}?schema={schema}")
        world.update_server.publish("4.5.20")
        yield place
