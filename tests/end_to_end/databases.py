"""A world with databases: Mastodon's, which has its staff, and that of a ledger in PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from end_to_end.world import World
from ledger.locations import DATABASE, ROLE, postgres_location
from mastodon_update_check.ledger.postgres_location import PostgresLocation
from simulators.mastodon_people import MODERATOR, Person, said
from simulators.mastodon_schema import people, schema
from simulators.postgres import Postgres

STAFF = (
    Person("alice", user=said(software_updates="all")),
    Person("bob", user={"locale": "de"}),  # urgent ones, by default
    Person("mod", role=MODERATOR),
)


class Staffed:
    """A server whose people are in a database that can be changed and switched off."""

    def __init__(self, world: World, postgres: Postgres) -> None:
        self.world = world
        self._postgres = postgres
        self._database = postgres.create_database("staffed", schema("4.7"))
        with closing(postgres.connect(self._database, "mastodon")) as connection:
            connection.execute(people("4.7", STAFF))
        world.set(UPDATE_CHECK_RECIPIENTS=None)
        self.switch_on()

    def switch_on(self) -> None:
        self._point_to(self._database)

    def switch_off(self) -> None:
        self._point_to("not_there")

    def change(self, statement: str, *values: str) -> None:
        with closing(self._postgres.connect(self._database, "mastodon")) as connection:
            connection.execute(statement.encode(), values)

    def set_preference(self, name: str, preference: str) -> None:
        settings = said(software_updates=preference)["settings"]
        self.change("UPDATE users SET settings = %s WHERE email = %s", settings, f"{name}@social.example")

    def take_mails(self) -> list[tuple[str, str]]:
        """Return and forget the mails that have arrived: name and event of each."""
        names = [mail.recipient.partition("@")[0] for mail in self.world.mails]
        taken = sorted(zip(names, self.world.mail_events, strict=True))
        self.world.mails.clear()
        return taken

    def _point_to(self, database: str) -> None:
        where = f"host={self._postgres.directory} port={self._postgres.port}"
        self.world.set(UPDATE_CHECK_DATABASE_URL=f"{where} dbname={database} user=mastodon")


@contextmanager
def sharing(world: World, postgres: Postgres) -> Iterator[PostgresLocation]:
    """Have it in a schema of its own, over TCP and with a password; 4.5.20 is out, and mail is the only sink."""
    with postgres_location(postgres) as place:
        schema = place.schema
        world.only("email")
        world.set(STATE_DIRECTORY=str(world.ledger.parent))
        world.set(UPDATE_CHECK_LEDGER=f"postgresql://{ROLE}:right@127.0.0.1:{postgres.port}/{DATABASE}?schema={schema}")
        world.update_server.publish("4.5.20")
        yield place
