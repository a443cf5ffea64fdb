"""Several daemons on one ledger: whose turn it is to check, who lives, and what they may do at the same moment."""

import threading
from dataclasses import replace
from datetime import timedelta

from ledger.examples import ALICE, BOB, INSTANCE, NOW, SECOND, YEAR, accept, facts, find_claim, replan, take, update
from mastodon_update_check.domain.outbox import LEASE, MAILS_A_DAY
from mastodon_update_check.ledger.engine import Place
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.nodes import Bid, Taken, Turn
from mastodon_update_check.ledger.upkeep import KEPT

HOUR = timedelta(hours=1)
BID = Bid(instance=INSTANCE, settings="same", host="node-1", former="", now=NOW, longest=HOUR)
OTHER = replace(BID, host="node-2")


def win(ledger: Ledger, bid: Bid) -> Turn:
    """Take the turn, which must be free."""
    turn = ledger.take_turn(bid)
    assert isinstance(turn, Turn), turn
    return turn


def finish(ledger: Ledger, turn: Turn) -> None:
    """End a check; the next one is due in half an hour."""
    assert ledger.keep_turn(turn, NOW + HOUR / 2, checking=False)


def test_one_node_checks(ledger: Ledger, other: Ledger) -> None:
    """The others are told who does, and when to look again: in the middle of a check, and between two."""
    turn = win(ledger, BID)
    assert Taken(host="node-1", until=NOW + LEASE) == other.take_turn(OTHER)
    finish(ledger, turn)
    assert Taken(host="node-1", until=NOW + HOUR / 2) == other.take_turn(OTHER)


def test_the_node_that_checks_goes_on(ledger: Ledger) -> None:
    """The next check is its own, however early it comes."""
    turn = win(ledger, BID)
    finish(ledger, turn)

    assert turn.token != win(ledger, replace(BID, former=turn.token, now=NOW + 60 * SECOND)).token


def test_a_node_that_is_late_is_relieved(ledger: Ledger, other: Ledger) -> None:
    """It died, or froze, or was stopped between two checks."""
    finish(ledger, win(ledger, BID))
    late = NOW + HOUR / 2
    assert isinstance(other.take_turn(replace(OTHER, now=late - SECOND)), Taken)
    win(other, replace(OTHER, now=late))


def test_a_node_that_stands_still_in_a_check_has_lost_it(ledger: Ledger, other: Ledger) -> None:
    """What it planned meanwhile is not stored."""
    frozen = win(ledger, BID)
    heir = win(other, replace(OTHER, now=NOW + LEASE))

    assert not ledger.keep_turn(frozen, NOW + 2 * LEASE, checking=True)
    with ledger.writing() as book:
        assert not book.keep_turn(frozen, NOW + 2 * LEASE)
    assert other.keep_turn(heir, NOW + 2 * LEASE, checking=True)


def test_a_check_that_lasts_is_kept(ledger: Ledger, other: Ledger) -> None:
    """For as long as it gives its word again and again."""
    turn = win(ledger, BID)
    assert ledger.keep_turn(turn, NOW + 2 * LEASE, checking=True)

    assert Taken(host="node-1", until=NOW + 2 * LEASE) == other.take_turn(replace(OTHER, now=NOW + LEASE))


def test_a_daemon_that_is_started_again_goes_on_for_its_predecessor(ledger: Ledger) -> None:
    """After an upgrade, say, it checks at once; but not in the middle of a check by another process of its host."""
    turn = win(ledger, BID)
    assert isinstance(ledger.take_turn(BID), Taken)
    finish(ledger, turn)
    win(ledger, BID)


def test_two_daemons_of_one_host_share_as_others_do(ledger: Ledger) -> None:
    """The one that was relieved when the other started does not take the turn back."""
    first = win(ledger, BID)
    finish(ledger, first)
    finish(ledger, win(ledger, BID))

    assert isinstance(ledger.take_turn(replace(BID, former=first.token)), Taken)


def test_nodes_with_other_settings_check_for_themselves(ledger: Ledger) -> None:
    """A sink that only one node has would get nothing otherwise; nor does another instance wait."""
    win(ledger, BID)
    win(ledger, replace(OTHER, settings="others"))
    win(ledger, replace(OTHER, instance="other.example"))


def test_a_word_from_a_wrong_clock_binds_nobody(ledger: Ledger, other: Ledger) -> None:
    """A node whose clock was a year ahead has promised to check in a year."""
    finish(ledger, win(ledger, replace(BID, now=NOW + YEAR)))
    turn = win(ledger, replace(BID, now=NOW + YEAR))
    assert ledger.keep_turn(turn, NOW + YEAR, checking=False)

    win(other, OTHER)


def test_one_of_many_wins(place: Place, ledger: Ledger) -> None:
    """However many find a turn over at the same moment."""
    finish(ledger, win(ledger, BID))
    bids = [replace(BID, host=f"node-{number}", former="x", now=NOW + HOUR) for number in range(6)]
    ready, won = threading.Barrier(len(bids)), []

    def run(bid: Bid) -> None:
        with Ledger.open(place) as own:
            ready.wait()
            won.append(isinstance(own.take_turn(bid), Turn))

    _run_all(*(lambda bid=bid: run(bid) for bid in bids))
    assert [False] * 5 + [True] == sorted(won)


def test_each_host_has_its_own_sign_of_life(ledger: Ledger) -> None:
    """One that was stopped has none any more; one that was killed is missed."""
    ledger.beat(INSTANCE, NOW, "node-1")
    ledger.beat(INSTANCE, NOW - HOUR, "node-2")
    ledger.beat(INSTANCE, NOW, "node-3")
    ledger.beat("other.example", NOW, "node-4")
    ledger.leave(INSTANCE, "node-3")

    assert ["node-1", "node-2"] == [node.host for node in ledger.nodes(INSTANCE, NOW)]
    assert (NOW, NOW - HOUR) == (ledger.last_beat_at(INSTANCE, "node-1"), ledger.last_beat_at(INSTANCE, "node-2"))
    assert ledger.last_beat_at(INSTANCE, "node-3") is None
    assert NOW == ledger.last_beat_at(INSTANCE)


def test_machines_that_are_gone_are_forgotten(ledger: Ledger) -> None:
    """Containers have a new name each time: one that was killed is listed for as long as attempts are kept."""
    ledger.beat(INSTANCE, NOW, "node-1")
    ledger.beat(INSTANCE, NOW - KEPT - HOUR, "node-2")
    ledger.beat(INSTANCE, NOW - KEPT + HOUR, "node-3")
    with ledger.writing() as book:
        book.keep_knowledge(INSTANCE, book.knowledge(INSTANCE), NOW)

    assert ["node-1", "node-3"] == [node.host for node in ledger.nodes(INSTANCE, NOW)]


def test_a_planned_stop_takes_the_sign_of_life_back(ledger: Ledger) -> None:
    """Nobody is told for minutes that a daemon which was stopped is at work; one that was killed is still missed."""
    ledger.beat(INSTANCE, NOW - HOUR, "node-1")
    ledger.beat(INSTANCE, NOW, "node-2")
    ledger.leave(INSTANCE, "node-2")
    assert NOW - HOUR == ledger.last_beat_at(INSTANCE)
    ledger.leave(INSTANCE, "node-1")
    assert ledger.last_beat_at(INSTANCE) is None


def test_the_cap_holds_for_many_at_once(place: Place, ledger: Ledger) -> None:
    """Nodes that claim for one recipient at the same moment count each other's."""
    updates = [update(f"4.5.{number + 1}") for number in range(2 * MAILS_A_DAY)]
    for number in range(len(updates)):
        replan(ledger, facts(*updates[: number + 1], to=(ALICE, BOB)))
    ready, claims = threading.Barrier(4), []

    def run() -> None:
        with Ledger.open(place) as own:
            ready.wait()
            while (claim := find_claim(own)) is not None:
                claims.append(claim)

    _run_all(*[run] * 4)
    keys = [claim.recipient_key for claim in claims]
    assert [MAILS_A_DAY] * 2 == [keys.count(person.key) for person in (ALICE, BOB)]
    assert len(claims) == len({claim.message_id for claim in claims})


def test_a_plan_sees_a_ledger_that_stands_still(place: Place, ledger: Ledger, other: Ledger) -> None:
    """Whoever wants to record something waits until the plan is stored, and finds it then."""
    replan(ledger, facts(update("4.5.1")))
    claim = take(ledger)
    recorded: list[str] = []

    def record() -> None:
        with Ledger.open(place) as own:
            accept(own, claim)
            recorded.append(claim.token)

    thread = threading.Thread(target=record)
    with other.writing() as book:
        first = book.deliveries(INSTANCE, ["update/4.5.1"], NOW)
        thread.start()
        thread.join(0.2)
        assert first == book.deliveries(INSTANCE, ["update/4.5.1"], NOW)
        assert [] == recorded
    thread.join()
    assert [claim.token] == recorded


def _run_all(*works: object) -> None:
    threads = [threading.Thread(target=work) for work in works]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
