"""The model on both engines."""

from contextlib import ExitStack

import pytest
from hypothesis import settings

from ledger.examples import INSTANCE
from ledger.locations import owned, postgres_location
from ledger.model import Deliveries
from mastodon_update_check.ledger.copying import back_up, copy
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.sqlite import SqliteLocation
from simulators.postgres import Postgres

TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


def test_doubtful_deliveries_at_two_addresses() -> None:
    """An example that random events found: the repeat has the id that went to the present address."""
    model = Deliveries()
    model.begin()
    model.fail(sink="email", sink_wide=False)
    model.become_a_user_or_an_address(name="alice")
    model.lose_the_reply(sink="email")
    model.move(host="new.example", name="alice")
    model.check()
    model.die_after_sending(sink="email", is_taken_over=True)
    model.skip(version="4.5.1", urgent=False)
    model.check()
    model.become_a_user_or_an_address(name="alice")
    model.teardown()


class DeliveriesOnPostgres(Deliveries):
    """The same on the other engine."""

    postgres: Postgres

    def create_ledger(self) -> None:
        """Make the ledger, in a schema of its own."""
        self.schema = ExitStack()
        self.place = self.schema.enter_context(postgres_location(self.postgres))
        self.place.create()
        self.place = owned(self.place).patient()

    def copy_ledger(self) -> bytes:
        """Return a backup."""
        self.path.unlink(missing_ok=True)
        back_up(self.place, self.path)
        return self.path.read_bytes()

    def put_back(self, content: bytes) -> None:
        """Copy a backup back, into a new ledger."""
        self.path.write_bytes(content)
        self.schema.close()
        self.schema = ExitStack()
        self.place = self.schema.enter_context(postgres_location(self.postgres))
        copy(SqliteLocation(self.path), self.place)
        self.place = owned(self.place).patient()

    def open_ledger(self) -> Ledger:
        """Open the ledger."""
        return Ledger.open(self.place, INSTANCE)

    def teardown(self) -> None:
        """Remove the schema, too."""
        try:
            super().teardown()
        finally:
            self.schema.close()


class TestDeliveriesOnPostgres(DeliveriesOnPostgres.TestCase):  # type: ignore[misc, valid-type]  # the library makes it
    """Fewer examples: each statement is a round trip to another process."""

    settings = settings(max_examples=8, stateful_step_count=30, deadline=None)

    @pytest.fixture(autouse=True)
    def server(self, postgres: Postgres) -> None:
        """Use the server of these tests."""
        DeliveriesOnPostgres.postgres = postgres
