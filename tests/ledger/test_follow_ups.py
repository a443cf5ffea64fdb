"""Queries of the ledger for reminders and `is installed` notices."""

from datetime import datetime

import pytest

from ledger.examples import ALICE, BOB, DAY, HOOK, NOW, YEAR, facts, update
from ledger.steps import accept, replan, rows, states, take
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.ledger.ledger import Ledger

URGENT, PLAIN = update("4.5.2", urgent=True), update("4.5.1")


def notified_at(ledger: Ledger) -> dict[str, datetime | None]:
    """Return when each row about URGENT was accepted."""
    return {row.identity: row.notified_at for row in rows(ledger, *["update/4.5.2"])}


def unclosed(ledger: Ledger, closure: FollowUps) -> frozenset[str]:
    """Return the subjects for which an `is installed` notice may be due."""
    with ledger.reading() as view:
        return view.unclosed_subjects(closure)


def test_notified_at_is_the_acceptance(ledger: Ledger) -> None:
    """The instant of the acceptance; none before it."""
    replan(ledger, facts(URGENT))
    assert notified_at(ledger) == {"update/4.5.2/urgent": None}
    accept(ledger, take(ledger), NOW + DAY)
    assert notified_at(ledger) == {"update/4.5.2/urgent": NOW + DAY}


def test_accepted_before_it_was_planned(ledger: Ledger) -> None:
    """A clock that fell back between the two is not believed."""
    replan(ledger, facts(URGENT))
    accept(ledger, take(ledger), NOW - YEAR)
    assert notified_at(ledger) == {"update/4.5.2/urgent": NOW}


@pytest.mark.parametrize(
    ("mode", "subjects"),
    [
        (FollowUps.NONE, set()),
        (FollowUps.URGENT, {"update/4.5.2"}),
        (FollowUps.ALL, {"update/4.5.1", "update/4.5.2"}),
    ],
)
def test_updates_without_an_installed_notice(ledger: Ledger, mode: FollowUps, subjects: set[str]) -> None:
    """Urgent updates that were sent; with `all` also others that were not sent by mail."""
    replan(ledger, facts(URGENT, PLAIN, to=(ALICE, HOOK)))
    assert unclosed(ledger, mode) == frozenset()
    accept(ledger, take(ledger))
    accept(ledger, take(ledger, sink="webhook"))
    assert unclosed(ledger, mode) == subjects


def test_marked_notices_have_no_follow_ups(ledger: Ledger) -> None:
    """A marked notice has neither reminders nor an `is installed` notice."""
    replan(ledger, facts(URGENT))
    with ledger.writing() as transaction:
        transaction.mark_notified(NOW)
    assert notified_at(ledger) == {"update/4.5.2/urgent": None}
    assert unclosed(ledger, FollowUps.ALL) == frozenset()
    for known in (
        facts(URGENT, now=NOW + DAY, follow_ups=FollowUps.ALL),
        facts(installed="4.5.2", follow_ups=FollowUps.ALL),
    ):
        assert replan(ledger, known).messages == ()


def test_plain_mail_has_no_installed_notice(ledger: Ledger) -> None:
    """A plain notice sent only by mail has no `is installed` notice, so its rows are not read."""
    replan(ledger, facts(PLAIN))
    accept(ledger, take(ledger))
    assert unclosed(ledger, FollowUps.ALL) == frozenset()


def test_closed_once_every_recipient_was_notified(ledger: Ledger) -> None:
    """An update stays open until each recipient has the `is installed` notice, even when it is not listed any more."""
    replan(ledger, facts(URGENT, to=(ALICE, BOB)))
    accept(ledger, take(ledger))
    accept(ledger, take(ledger))
    known = facts(to=(ALICE, BOB), installed="4.5.2", follow_ups=FollowUps.URGENT)
    assert len(replan(ledger, known).messages) == 2
    accept(ledger, take(ledger))
    assert unclosed(ledger, FollowUps.URGENT) == {"update/4.5.2"}
    accept(ledger, take(ledger))
    assert unclosed(ledger, FollowUps.URGENT) == frozenset()
    assert replan(ledger, known).messages == ()
    assert {("user:1", "update/4.5.2/installed"), ("user:2", "update/4.5.2/installed")} <= states(ledger, URGENT).keys()
