"""Sequences of plans: the end of support stage by stage, and outages of this tool's own."""

from dataclasses import replace
from datetime import UTC, date, datetime

from domain.examples import cases, facts, feed, user
from domain.rows import Rows, changed, planned
from domain.tool_notices import CHECK, RECOVERED
from mastodon_update_check.domain.reasons import Reason

ANN, BEN = user(1), user(2)


def at(day: str) -> datetime:
    """Return noon of that day."""
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)


def test_support_stages_one_after_the_other() -> None:
    """A year away nothing; then each stage once (not again); the last is urgent."""
    rows, told_on = Rows(), {}
    answer = feed(ends_on=date(2026, 12, 17))
    for day in ("2025-12-17", "2026-10-17", "2026-10-18", "2026-12-07", "2026-12-08", "2026-12-18", "2026-12-19"):
        made = rows.plan(facts(ANN, installed="4.4.27", answer=answer, now=at(day)))
        rows.send()
        if made.messages:
            told_on[day] = [identity for _, identity, _ in planned(made)], made.messages[0].is_urgent
    assert told_on == {
        "2026-10-17": (["support/4.4/2026-12-17/three_months"], False),
        "2026-12-07": (["support/4.4/2026-12-17/two_weeks"], False),
        "2026-12-18": (["support/4.4/2026-12-17/ended"], True),
    }


def test_support_switch() -> None:
    """A recipient without support warnings gets nothing. Turned on again, the stage is planned."""
    rows, answer = Rows(), feed(ends_on=date(2026, 12, 17))
    off = user(wants_support=False)
    assert planned(rows.plan(facts(off, installed="4.4.27", answer=answer))) == []
    made = rows.plan(facts(ANN, installed="4.4.27", answer=answer))
    assert planned(made) == [(ANN.key, "support/4.4/2026-12-17/three_months", "support_ends")]
    assert changed(rows.plan(facts(off, installed="4.4.27", answer=answer))) == [
        (ANN.key, "support/4.4/2026-12-17/three_months", "preference_lowered")
    ]


def test_later_stage_takes_the_place_of_an_earlier_one() -> None:
    """A stage that was not sent in time is superseded by the next."""
    rows, answer = Rows(), feed(ends_on=date(2026, 12, 17))
    rows.plan(facts(ANN, installed="4.4.27", answer=answer))
    made = rows.plan(facts(ANN, installed="4.4.27", answer=answer, now=at("2026-12-10")))
    assert changed(made) == [(ANN.key, "support/4.4/2026-12-17/three_months", "later_stage")]
    assert planned(made) == [(ANN.key, "support/4.4/2026-12-17/two_weeks", "support_ends")]


def test_date_that_moves_often_is_delayed() -> None:
    """After three dates of a stage in 30 days the next one waits, and is then sent: none is lost."""
    rows, counts = Rows(), []
    dates = (date(2026, 10, 1), date(2026, 8, 20), date(2026, 7, 10), date(2026, 6, 1))
    days = ("2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-12-01", "2026-12-02")
    for day, ends_on in zip(days, (*dates, *2 * dates[-1:]), strict=True):
        made = rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=ends_on), now=at(day)))
        rows.send(at(day))
        counts.append(len(made.messages))
    assert counts == [1, 1, 1, 0, 1, 0]


@cases(
    "day is_new",
    ("29 days later", "2027-01-15", False),
    ("22 days earlier", "2026-11-25", False),
    ("30 days later: Mastodon sends nothing", "2027-01-16", True),
)
def test_date_moved_within_a_stage(day: str, *, is_new: bool) -> None:
    """A date that moves by less than 30 days is not a new notice, nor step by step from the first."""
    rows, now = Rows(), at("2026-11-01")
    rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2026, 12, 17)), now=now))
    rows.send()
    made = rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date.fromisoformat(day)), now=now))
    assert planned(made) == [(ANN.key, f"support/4.4/{day}/three_months", "support_ends")] * is_new


def test_date_moved_before_it_was_sent() -> None:
    """A waiting notice is planned again with the present date: no message has a wrong date."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2026, 12, 17))))
    made = rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2026, 12, 18))))
    assert changed(made) == [(ANN.key, "support/4.4/2026-12-17/three_months", "date_moved")]
    assert planned(made) == [(ANN.key, "support/4.4/2026-12-18/three_months", "support_ends")]


def test_stage_that_goes_back() -> None:
    """After a postponement the earlier stage is planned with its new date, as in Mastodon."""
    rows = Rows()
    now = at("2026-12-10")
    rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2026, 12, 17)), now=now))
    rows.send()
    made = rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2027, 2, 17)), now=now))
    assert planned(made) == [(ANN.key, "support/4.4/2027-02-17/three_months", "support_ends")]


def test_upgrade_to_another_branch() -> None:
    """Notices about the old branch are cancelled, even while checking is off."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.4.27", answer=feed(ends_on=date(2026, 12, 17))))
    made = rows.plan(facts(ANN, installed="4.5.20", answer=None))
    assert changed(made) == [(ANN.key, "support/4.4/2026-12-17/three_months", "branch_left")]


def test_recovery_goes_to_recipients_of_the_outage() -> None:
    """Recovery goes only to recipients of the failure; a waiting failure is superseded by it."""
    rows = Rows()
    rows.plan(facts(ANN, tool_notices=[CHECK]))
    rows.send()
    made = rows.plan(facts(ANN, BEN, tool_notices=[RECOVERED]))
    assert planned(made) == [(ANN.key, "check/20261122T130500Z/recovered", "operator")]
    assert [one.reason for one in made.decisions] == [Reason.OPERATOR, Reason.NOT_NOTIFIED_OF_OUTAGE]
    assert planned(rows.plan(facts(ANN, BEN, tool_notices=[RECOVERED]))) == []


def test_recovery_before_the_outage_was_sent() -> None:
    """When the message about the outage never went out there is nothing to take back."""
    rows = Rows()
    rows.plan(facts(ANN, tool_notices=[CHECK]))
    made = rows.plan(facts(ANN, tool_notices=[RECOVERED]))
    assert changed(made) == [(ANN.key, "check/20261122T130500Z/1", "later_stage")]
    assert planned(made) == []


def test_stages_of_an_outage() -> None:
    """Each stage of an outage is planned once; one that was not sent makes way for the next."""
    rows = Rows()
    assert len(planned(rows.plan(facts(ANN, tool_notices=[CHECK])))) == 1
    later = replace(CHECK, stage=2)
    made = rows.plan(facts(ANN, tool_notices=[later]))
    assert changed(made) == [(ANN.key, "check/20261122T130500Z/1", "later_stage")]
    assert planned(made) == [(ANN.key, "check/20261122T130500Z/2", "operator")]
