"""Ledgers of other versions: those of 0.1.0 are migrated, newer ones are refused."""

import json
from contextlib import closing

import pytest

from ledger.examples import ALICE, INSTANCE, NOW, SECOND, YEAR, facts, update
from ledger.former import lead_back, set_version
from ledger.locations import owned, query
from ledger.steps import accept, find_attempt, record_heartbeat, replan, take
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.errors import LedgerError
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location
from mastodon_update_check.ledger.rows import write_recipient
from mastodon_update_check.ledger.schema import SCHEMA_VERSION

PATCH = update("4.5.1")


def notice(version: str) -> str:
    """Return a notice as 0.1.0 wrote it."""
    return json.dumps(
        {
            "kind": "update",
            "version": version,
            "urgent": False,
            "type": None,
            "release_notes": "",
            "end_of_support": None,
        }
    )


@pytest.fixture
def former(place: Location) -> Location:
    """Return a ledger of 0.1.0: one message sent, one that was being sent when the process died."""
    Ledger.create(place, INSTANCE).close()
    lead_back(place)
    fill(place)
    return place


def fill(location: Location) -> None:
    """Let the former program have worked."""
    now, later = NOW.isoformat(timespec="milliseconds"), (NOW + YEAR).isoformat(timespec="milliseconds")
    recipient = write_recipient(ALICE)
    for id_, version, state, claim in (("one", "4.5.1", "sent", None), ("two", "4.5.2", "pending", "a token")):
        query(
            location,
            """
            INSERT INTO message (id, instance, sink, recipient_key, recipient, is_urgent, created_at, state, due_at,
                                 claim, lease_until, attempts, settled_at)
            VALUES (?, ?, 'email', 'user:1', ?, 0, ?, ?, ?, ?, ?, 1, ?)
            """,
            *(id_, INSTANCE, recipient, now, state, None if state == "sent" else now, claim, claim and later, now),
        )
        name = f"update/{version}/plain"
        query(
            location,
            "INSERT INTO delivery VALUES (?, ?, 'user:1', ?, 'email', ?, ?, ?, 'patch_update', ?, ?, ?)",
            *(
                INSTANCE,
                name,
                f"update/{version}",
                ALICE.address,
                notice(version),
                state,
                id_,
                now,
                None if claim else now,
            ),
        )
        outcome = None if claim else "sent"
        query(
            location,
            "INSERT INTO attempt VALUES (?, 1, ?, ?, ?, '', ?)",
            *(id_, now, outcome and now, outcome, json.dumps([name])),
        )
    query(
        location, "INSERT INTO instance VALUES (?, ?, ?)", INSTANCE, json.dumps(ServerState(failures=2).to_json()), now
    )
    query(location, "INSERT INTO turn VALUES (?, '', 'web1', 'token', 0, ?)", INSTANCE, later)
    query(location, "INSERT INTO node VALUES (?, 'web1', ?)", INSTANCE, now)


def test_ledger_of_the_first_version_is_migrated(former: Location) -> None:
    """The next owner closes what the former program had begun, and sends it again with the same id."""
    with Ledger.open(former, INSTANCE) as reader:
        assert reader.state() == ServerState(failures=2)
        assert [node.host for node in reader.nodes(NOW)] == ["web1"]
    with Ledger.open(owned(former), INSTANCE) as ledger:
        listed = (PATCH, update("4.5.2"))
        assert replan(ledger, facts(*listed)).messages == ()
        assert find_attempt(ledger) is None
        assert ledger.close_open_attempts(NOW + SECOND) == 1
        attempt = take(ledger, NOW + SECOND)
        assert (attempt.message_id, attempt.number, attempt.dated_at) == ("two", 2, NOW)
        accept(ledger, attempt, NOW + SECOND)
        assert replan(ledger, facts(*listed)).messages == ()
        assert find_attempt(ledger, NOW + YEAR) is None


def test_ledger_of_a_newer_version_is_refused(place: Location) -> None:
    """Nothing is read or written."""
    Ledger.create(place, INSTANCE).close()
    set_version(place, 99)
    with pytest.raises(
        LedgerError,
        match=rf"newer version of this program \(schema 99, this one knows {SCHEMA_VERSION}\): upgrade this",
    ):
        Ledger.open(place, INSTANCE)


def test_first_version_is_stopped_by_a_migrated_ledger(place: Location) -> None:
    """Version 0.1.0 goes on with a newer schema only if this row allows schema 2."""
    Ledger.create(place, INSTANCE).close()
    with closing(place.open()) as session, session.reading() as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'compatibility'").fetchone()
    assert json.loads(row["value"]) == {"schema": SCHEMA_VERSION, "since": 3}


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_ledger_is_migrated_by_a_newer_program_while_it_is_open(place: Location) -> None:
    """A process that has it open in PostgreSQL notices at its next transaction; a file has one user at a time."""
    with Ledger.create(place, INSTANCE) as ledger:
        set_version(place, 99)
        with pytest.raises(LedgerError, match="newer version of this program"):
            record_heartbeat(ledger, "web1", NOW)
