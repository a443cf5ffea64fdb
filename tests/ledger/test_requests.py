"""Requests to the owner: written by any process, answered by the owner, deleted by the process that asked."""

from dataclasses import replace

from ledger.examples import INSTANCE, NOW, SECOND
from ledger.locations import query
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.postgres_location import PostgresLocation


def waiting(ledger: Ledger) -> list[tuple[str, object]]:
    """Return kind and arguments of the requests that wait for an answer."""
    with ledger.reading() as view:
        return [(request.kind, dict(request.arguments)) for request in view.open_requests()]


def stranger(place: Location) -> Location:
    """Return the same ledger for a process that does not own it."""
    return replace(place, token="") if isinstance(place, PostgresLocation) else place


def test_request_is_answered_once(ledger: Ledger, place: Location) -> None:
    """Oldest first; an answer that was read is deleted with its request."""
    with Ledger.open(stranger(place), INSTANCE) as command:
        second = command.ask_owner("check", {"mark": False}, NOW + SECOND)
        first = command.ask_owner("skip", {"versions": ["4.5.1"]}, NOW)
        assert waiting(ledger) == [("skip", {"versions": ["4.5.1"]}), ("check", {"mark": False})]
        assert command.answer(first) is None
        with ledger.writing() as transaction:
            transaction.answer(first, {"versions": ["4.5.1"]})
        assert waiting(ledger) == [("check", {"mark": False})]
        assert command.answer(first) == {"versions": ["4.5.1"]}
        command.withdraw(first)
        command.withdraw(second)

    assert waiting(ledger) == []
    assert query(place, "SELECT count(*) FROM request") == [(0,)]


def test_each_instance_has_its_own_requests(ledger: Ledger, place: Location) -> None:
    """The owner of a ledger answers those of its instance."""
    with Ledger.open(place, "other.example") as there:
        there.ask_owner("check", {}, NOW)

        assert (waiting(ledger), waiting(there)) == ([], [("check", {})])
