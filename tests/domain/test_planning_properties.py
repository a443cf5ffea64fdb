"""Properties of planning: for any answers, recipients, preferences and histories."""

from dataclasses import replace
from random import Random
from typing import TypeVar

from hypothesis import given
from hypothesis import strategies as st

from domain.rows import changed, planned
from domain.strategies import any_facts, histories, lived, neighbours, quiet_histories
from mastodon_update_check.domain.identities import identity, is_covered_by
from mastodon_update_check.domain.notices import InstalledNotice, Notice, ReminderNotice, UpdateNotice
from mastodon_update_check.domain.outbox import DeliveryState
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.planning.plan import Plan, plan
from mastodon_update_check.domain.recipients import Reason, Recipient

T = TypeVar("T")


def deliveries(made: Plan) -> list[tuple[Recipient, Notice]]:
    """Return the planned notices with their recipients."""
    return [(one.recipient, one.notice) for sent in made.messages for one in sent.decisions]


@given(histories, any_facts)
def test_planning_twice_plans_nothing_new(history: list[tuple[Facts, str]], known: Facts) -> None:
    """After any history the same facts plan and cancel nothing more."""
    rows = lived(history)
    rows.plan(known)
    again = rows.plan(known)
    assert (planned(again), changed(again)) == ([], [])
    assert not any(one.is_hurried for one in again.redirections)


@given(histories, any_facts)
def test_covered_notices_are_never_planned(history: list[tuple[Facts, str]], known: Facts) -> None:
    """A notice that a standing row covers is never planned, under any key or address, nor twice in one plan.

    An open row counts for the address to which this plan sends it.
    """
    rows = lived(history)
    made = plan(known, tuple(rows.rows.values()))
    gone = {(change.identity, change.recipient_key) for change in made.changes}
    standing = [row for place, row in rows.rows.items() if row.state.is_notified and place not in gone]
    moved = {one.message_id: one.recipient.address for one in made.redirections}
    for recipient, notice in deliveries(made):
        for row in standing:
            address = moved.get(row.message_id, row.address) if row.is_open else row.address
            same = row.recipient_key == recipient.key or (
                row.sink == recipient.sink and address.lower() == recipient.address.lower() != ""
            )
            assert not (same and is_covered_by(notice, row.notice))
    once = [(recipient.address.lower() or recipient.key, identity(notice)) for recipient, notice in deliveries(made)]
    assert len(once) == len(set(once))


@given(histories, any_facts)
def test_only_open_rows_change(history: list[tuple[Facts, str]], known: Facts) -> None:
    """Sent, cancelled and claimed rows stay as they are; so do rows of sinks that were not asked."""
    rows = lived(history)
    made = plan(known, tuple(rows.rows.values()))
    for change in made.changes:
        row = rows.rows[change.identity, change.recipient_key]
        assert row.is_open
        assert not (row.sink in known.unasked_sinks and change.reason in {"recipient_gone", "preference_lowered"})
    claimed = {row.message_id for row in rows.rows.values() if row.is_being_sent}
    assert not claimed & {one.message_id for one in made.redirections}


@given(histories, any_facts)
def test_follow_ups_follow_sent_notices(history: list[tuple[Facts, str]], known: Facts) -> None:
    """Follow-ups go only to recipients of the notice; at most one reminder of an update is due."""
    rows = lived(history)
    made = plan(known, tuple(rows.rows.values()))
    reminded = set()
    for recipient, notice in deliveries(made):
        if not isinstance(notice, ReminderNotice | InstalledNotice):
            continue
        assert any(
            row.state is DeliveryState.SENT
            and isinstance(row.notice, UpdateNotice)
            and row.notice.version == notice.update.version
            and row.notice.urgent >= notice.update.urgent
            and (row.recipient_key == recipient.key or row.address.lower() == recipient.address.lower())
            for row in rows.rows.values()
        )
        runs_it = known.installed is not None and notice.update.version <= known.installed
        assert runs_it is isinstance(notice, InstalledNotice)
        if isinstance(notice, ReminderNotice):
            assert (recipient, notice.update.version) not in reminded
            reminded.add((recipient, notice.update.version))
            assert not known.known.is_skipped(notice.update)


@given(histories, any_facts)
def test_skipped_releases_are_not_planned(history: list[tuple[Facts, str]], known: Facts) -> None:
    """A skipped release is neither planned nor left waiting."""
    rows = lived(history)
    made = rows.plan(known)
    assert not any(
        isinstance(notice, UpdateNotice) and known.known.is_skipped(notice) for _, notice in deliveries(made)
    )
    left = [row.notice for row in rows.rows.values() if row.is_open and known.installed is not None]
    assert not any(isinstance(notice, UpdateNotice) and known.known.is_skipped(notice) for notice in left)


@given(neighbours, quiet_histories, st.randoms(use_true_random=False))
def test_order_does_not_matter(known: Facts, history: list[tuple[Facts, str]], random: Random) -> None:
    """The planned notices, their ids and the cancelled rows do not depend on any order.

    Of two recipients with one address the first who wants a notice gets it; that alone is a matter of order.
    """
    rows = list(lived(history).rows.values())
    first = plan(known, rows)
    second = plan(shuffled(known, random), random.sample(rows, len(rows)))
    assert sorted(planned(first)) == sorted(planned(second))
    assert {one.id for one in first.messages} == {one.id for one in second.messages}
    assert set(first.changes) == set(second.changes)


def shuffled(known: Facts, random: Random) -> Facts:
    """Return the same facts in another order."""

    def mixed(items: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(random.sample(items, len(items)))

    answer = known.feed
    if answer is not None:
        answer = replace(answer, updates=mixed(answer.updates))
    return replace(known, recipients=mixed(known.recipients), tool_notices=mixed(known.tool_notices), feed=answer)


@given(neighbours)
def test_a_plan_is_true_notices_times_recipients(known: Facts) -> None:
    """Without history every reason is the recipient's own; each decision is made once."""
    made = plan(known, ())
    assert len(known.recipients) * len(known.notices) == len(made.decisions)
    expected = {(one.recipient.key, identity(one.notice)) for one in made.decisions if one.reason.notifies}
    assert {(recipient.key, identity(notice)) for recipient, notice in deliveries(made)} == expected
    assert all(one.reason not in {Reason.ALREADY_NOTIFIED, Reason.ALREADY_PLANNED} for one in made.decisions)
    assert {DeliveryState.PENDING} >= {row.state for row in lived([(known, "")]).rows.values()}
