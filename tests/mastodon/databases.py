"""What the tests of the database share: addresses, and databases of every version."""

from contextlib import closing

from mastodon_update_check.mastodon.database_address import DatabaseAddress
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

DIRECT = "mastodon"
OWN_ROLE = "_mastodon_update_check"


def socket_address(postgres: Postgres, database: str, role: str = DIRECT, **parameters: str) -> DatabaseAddress:
    """Return the address of a database over the unix socket."""
    login = {"host": str(postgres.directory), "port": str(postgres.port), "dbname": database, "user": role}
    return DatabaseAddress(origin="the DB_ variables", parameters=login | parameters)


def tcp_address(port: int, database: str, role: str = DIRECT, **parameters: str) -> DatabaseAddress:
    """Return the address of a database on a port of loopback, with the right password."""
    login = {"host": "127.0.0.1", "port": str(port), "dbname": database, "user": role, "password": "right"}
    return DatabaseAddress(origin="the DB_ variables", parameters=login | parameters)


def populated(postgres: Postgres, name: str, version: str) -> str:
    """Make a database of this Mastodon version with all of its people and return its name."""
    postgres.create_database(name, schema(version))
    with closing(postgres.connect(name, DIRECT)) as connection:
        connection.execute(people(version))
    return name
