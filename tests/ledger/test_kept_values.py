"""Values that come back from the ledger as they were kept, for each instance its own."""

from ledger.examples import INSTANCE, NOW, update
from ledger.locations import query
from mastodon_update_check.domain.server.state import ServerState
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import Location

PATCH = update("4.5.1")


def test_the_state_comes_back_as_it_was_kept(ledger: Ledger, place: Location) -> None:
    """Each instance has its own."""
    known = ServerState(good_at=NOW, installed=MastodonVersion.parse("4.5.0"), updates=(PATCH,), warnings=("a", "b"))
    with ledger.writing() as transaction:
        transaction.keep_state(known, NOW)
        assert transaction.state() == known

    assert ledger.state() == known
    assert ledger.instances() == (INSTANCE,)
    with Ledger.open(place, "other.example") as there:
        assert there.state() == ServerState()


def test_a_fingerprint_is_salted(ledger: Ledger, place: Location) -> None:
    """The same text has the same fingerprint in one ledger, and another one elsewhere."""
    first = ledger.fingerprint("password")
    query(place, "UPDATE meta SET value = 'other' WHERE key = 'salt'")

    assert len(first) == 16
    assert first != ledger.fingerprint("password")
    assert ledger.fingerprint("a") != ledger.fingerprint("b")
