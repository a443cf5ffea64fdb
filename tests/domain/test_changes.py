"""Notices that cover others, and the changes of open rows when facts have changed."""

from datetime import date

import pytest

from domain.examples import days, facts, feed, hook, minor, patch, support, user
from domain.rows import delivery
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.identities import covered_identities, identity, is_covered_by
from mastodon_update_check.domain.notices import Notice, SupportStage
from mastodon_update_check.domain.planning.changes import find_changes
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.reasons import Reason
from mastodon_update_check.domain.recipients import Preference

ENDS_ON = date(2027, 2, 20)
THREE_MONTHS, TWO_WEEKS, ENDED = SupportStage
ANN = user()


@pytest.mark.parametrize(
    ("notice", "notified", "expected"),
    [
        pytest.param(patch("4.5.20"), patch("4.5.20"), True, id="the same"),
        pytest.param(patch("4.5.20"), patch("4.5.20", urgent=True), True, id="urgent covers plain"),
        pytest.param(patch("4.5.20", urgent=True), patch("4.5.20"), False, id="plain does not cover urgent"),
        pytest.param(patch("4.5.20"), patch("4.5.21"), False, id="another release"),
        pytest.param(support(TWO_WEEKS), support(THREE_MONTHS), False, id="an earlier stage covers nothing later"),
        pytest.param(support(TWO_WEEKS), support(ENDED), True, id="a later stage covers the earlier ones"),
        pytest.param(support(TWO_WEEKS, branch="4.6"), support(ENDED), False, id="of its own branch"),
        pytest.param(support(TWO_WEEKS, ENDS_ON + days(1)), support(ENDED, ENDS_ON), False, id="and of its own date"),
        pytest.param(support(TWO_WEEKS, ENDS_ON + days(29)), support(TWO_WEEKS, ENDS_ON), True, id="29 days later"),
        pytest.param(support(TWO_WEEKS, ENDS_ON - days(29)), support(TWO_WEEKS, ENDS_ON), True, id="29 days earlier"),
        pytest.param(support(TWO_WEEKS, ENDS_ON + days(30)), support(TWO_WEEKS, ENDS_ON), False, id="30 days later"),
        pytest.param(support(TWO_WEEKS, ENDS_ON - days(30)), support(TWO_WEEKS, ENDS_ON), False, id="30 days earlier"),
        pytest.param(CHECK, CHECK, True, id="the same outage and stage"),
        pytest.param(RECOVERED, CHECK, False, id="an outage does not cover its end"),
        pytest.param(patch("4.5.20"), RESTART, False, id="nothing of another kind"),
    ],
)
def test_notices_that_cover_others(notice: Notice, notified: Notice, *, expected: bool) -> None:
    """A recipient of the one notice does not need the other."""
    assert is_covered_by(notice, notified) is expected


@pytest.mark.parametrize(
    ("notice", "known", "reason"),
    [
        pytest.param(patch("4.5.20"), facts(ANN, answer=feed(patch("4.5.20"))), None, id="still true"),
        pytest.param(patch("4.5.20"), facts(ANN, installed=None, answer=feed()), None, id="what runs is not known"),
        pytest.param(patch("4.5.20"), facts(ANN, installed="4.6.0"), Reason.INSTALLED, id="passed by"),
        pytest.param(
            patch("4.5.20"),
            facts(ANN, installed="4.5.20", answer=feed(patch("4.5.20"))),
            Reason.INSTALLED,
            id="installed, though it is still listed (mastodon#33772)",
        ),
        pytest.param(patch("4.5.20-rc.1"), facts(ANN), Reason.PRERELEASE, id="a pre-release, and now a release runs"),
        pytest.param(
            patch("4.5.20", urgent=True),
            facts(ANN, answer=feed(patch("4.5.20"), is_complete=False)),
            Reason.URGENCY_FELL,
            id="it is urgent no longer",
        ),
        pytest.param(support(TWO_WEEKS), facts(ANN, answer=feed()), None, id="the date was not said"),
        pytest.param(
            support(THREE_MONTHS), facts(ANN, answer=feed(ends_on=ENDS_ON)), None, id="the same stage and date"
        ),
        pytest.param(
            support(TWO_WEEKS),
            facts(ANN, answer=feed(ends_on=ENDS_ON)),
            None,
            id="the clock has been set back: what is later still covers it",
        ),
        pytest.param(
            support(THREE_MONTHS),
            facts(ANN, answer=feed(ends_on=date(2029, 1, 1))),
            Reason.DATE_MOVED,
            id="the end has moved out of sight",
        ),
        pytest.param(CHECK, facts(ANN, tool_notices=[CHECK]), None, id="checks still fail"),
        pytest.param(CHECK, facts(ANN), Reason.OVER, id="checks fail no longer"),
        pytest.param(RESTART, facts(ANN, installed=None), Reason.OVER, id="restarted"),
        pytest.param(DELIVERY, facts(ANN, tool_notices=[DELIVERY]), None, id="a sink still fails"),
    ],
)
def test_changes_of_a_row(notice: Notice, known: Facts, reason: Reason | None) -> None:
    """A row is given up on positive evidence alone: "could not ask" changes nothing."""
    changes = find_changes([delivery(notice, ANN)], known)
    assert [change.reason for change in changes] == [reason] * (reason is not None)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        pytest.param(facts(ANN), None, id="still there"),
        pytest.param(facts(user(2)), Reason.RECIPIENT_GONE, id="others answered, this one did not"),
        pytest.param(facts(hook()), None, id="no recipients of this sink: not one either"),
        pytest.param(facts(user(2), unasked=["email"]), None, id="the sink's recipients could not be asked for"),
        pytest.param(facts(user(preference=Preference.NONE)), Reason.PREFERENCE_LOWERED, id="wants nothing any more"),
        pytest.param(facts(user(preference=Preference.CRITICAL)), Reason.PREFERENCE_LOWERED, id="only urgent ones"),
        pytest.param(facts(user(preference=Preference.PATCH)), None, id="still wants patches"),
    ],
)
def test_changes_of_a_recipient_s_row(known: Facts, reason: Reason | None) -> None:
    """A recipient is gone only when others were found, and unwilling only by their own preference."""
    changes = find_changes([delivery(patch("4.5.20"), ANN)], known)
    assert [change.reason for change in changes] == [reason] * (reason is not None)


def test_preferences_are_judged_by_the_present_notice() -> None:
    """An update planned as a patch and now called minor is not sent to recipients who want patches."""
    known = facts(user(preference=Preference.PATCH), answer=feed(minor("4.6.0")))
    [change] = find_changes([delivery(patch("4.6.0"), ANN)], known)
    assert change.reason is Reason.PREFERENCE_LOWERED


def test_facts_without_a_date_in_sight() -> None:
    """Without a feed, a version or a date that is near there is no support notice."""
    for known in (
        facts(ANN),
        facts(ANN, installed=None, answer=feed(ends_on=ENDS_ON)),
        facts(ANN, answer=feed()),
        facts(ANN, answer=feed(ends_on=date(2029, 1, 1))),
    ):
        assert known.notices == ()
    assert (patch("4.5.20"), support(THREE_MONTHS)) == facts(ANN, answer=feed(patch("4.5.20"), ends_on=ENDS_ON)).notices


@pytest.mark.parametrize(
    ("notified", "covered"),
    [
        pytest.param(patch("4.5.1", urgent=True), (patch("4.5.1"),), id="an urgent release covers itself as it was"),
        pytest.param(patch("4.5.1"), (), id="a release that is not urgent covers nothing else"),
        pytest.param(support(ENDED), (support(THREE_MONTHS), support(TWO_WEEKS)), id="the last stage covers all"),
        pytest.param(support(THREE_MONTHS), (), id="the first stage covers nothing else"),
    ],
)
def test_covered_identities(notified: Notice, covered: tuple[Notice, ...]) -> None:
    """They are the identities of notices that the sent one covers."""
    assert tuple(identity(notice) for notice in covered) == covered_identities(notified)
    assert all(is_covered_by(notice, notified) for notice in covered)
