"""Notices that cover others, and the changes of open rows when facts have changed."""

from datetime import date

from domain.examples import cases, days, facts, feed, hook, minor, patch, support, user
from domain.rows import delivery
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.identities import covered_identities, identity, is_covered_by
from mastodon_update_check.domain.notices import Notice, SupportStage
from mastodon_update_check.domain.planning.changes import find_changes
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import Preference, Reason

ENDS_ON = date(2027, 2, 20)
THREE_MONTHS, TWO_WEEKS, ENDED = SupportStage
ANN = user()


@cases(
    "notice notified expected",
    ("the same", patch("4.5.20"), patch("4.5.20"), True),
    ("urgent covers plain", patch("4.5.20"), patch("4.5.20", urgent=True), True),
    ("plain does not cover urgent", patch("4.5.20", urgent=True), patch("4.5.20"), False),
    ("another release", patch("4.5.20"), patch("4.5.21"), False),
    ("an earlier stage covers nothing later", support(TWO_WEEKS), support(THREE_MONTHS), False),
    ("a later stage covers the earlier ones", support(TWO_WEEKS), support(ENDED), True),
    ("of its own branch", support(TWO_WEEKS, branch="4.6"), support(ENDED), False),
    ("and of its own date", support(TWO_WEEKS, ENDS_ON + days(1)), support(ENDED, ENDS_ON), False),
    ("29 days later", support(TWO_WEEKS, ENDS_ON + days(29)), support(TWO_WEEKS, ENDS_ON), True),
    ("29 days earlier", support(TWO_WEEKS, ENDS_ON - days(29)), support(TWO_WEEKS, ENDS_ON), True),
    ("30 days later", support(TWO_WEEKS, ENDS_ON + days(30)), support(TWO_WEEKS, ENDS_ON), False),
    ("30 days earlier", support(TWO_WEEKS, ENDS_ON - days(30)), support(TWO_WEEKS, ENDS_ON), False),
    ("the same outage and stage", CHECK, CHECK, True),
    ("an outage does not cover its end", RECOVERED, CHECK, False),
    ("nothing of another kind", patch("4.5.20"), RESTART, False),
)
def test_notices_that_cover_others(notice: Notice, notified: Notice, *, expected: bool) -> None:
    """A recipient of the one notice does not need the other."""
    assert is_covered_by(notice, notified) is expected


STILL_LISTED = facts(ANN, installed="4.5.20", answer=feed(patch("4.5.20")))
IN_PART = facts(ANN, answer=feed(patch("4.5.20"), is_complete=False))
ENDING, FAR_OFF = feed(ends_on=ENDS_ON), feed(ends_on=date(2029, 1, 1))


@cases(
    "notice known reason",
    ("still true", patch("4.5.20"), facts(ANN, answer=feed(patch("4.5.20"))), None),
    ("what runs is not known", patch("4.5.20"), facts(ANN, installed=None, answer=feed()), None),
    ("passed by", patch("4.5.20"), facts(ANN, installed="4.6.0"), Reason.INSTALLED),
    ("installed, though it is still listed (mastodon#33772)", patch("4.5.20"), STILL_LISTED, Reason.INSTALLED),
    ("a pre-release, and now a release runs", patch("4.5.20-rc.1"), facts(ANN), Reason.PRERELEASE),
    ("it is urgent no longer", patch("4.5.20", urgent=True), IN_PART, Reason.URGENCY_FELL),
    ("the date was not said", support(TWO_WEEKS), facts(ANN, answer=feed()), None),
    ("the same stage and date", support(THREE_MONTHS), facts(ANN, answer=feed(ends_on=ENDS_ON)), None),
    ("the clock has been set back: a later one covers it", support(TWO_WEEKS), facts(ANN, answer=ENDING), None),
    ("the end has moved out of sight", support(THREE_MONTHS), facts(ANN, answer=FAR_OFF), Reason.DATE_MOVED),
    ("checks still fail", CHECK, facts(ANN, tool_notices=[CHECK]), None),
    ("checks fail no longer", CHECK, facts(ANN), Reason.OVER),
    ("restarted", RESTART, facts(ANN, installed=None), Reason.OVER),
    ("a sink still fails", DELIVERY, facts(ANN, tool_notices=[DELIVERY]), None),
)
def test_changes_of_a_row(notice: Notice, known: Facts, reason: Reason | None) -> None:
    """A row is given up on positive evidence alone: "could not ask" changes nothing."""
    changes = find_changes([delivery(notice, ANN)], known)
    assert [change.reason for change in changes] == [reason] * (reason is not None)


@cases(
    "known reason",
    ("still there", facts(ANN), None),
    ("others answered, this one did not", facts(user(2)), Reason.RECIPIENT_GONE),
    ("no recipients of this sink: not one either", facts(hook()), None),
    ("the sink's recipients could not be asked for", facts(user(2), unasked=["email"]), None),
    ("wants nothing any more", facts(user(preference=Preference.NONE)), Reason.PREFERENCE_LOWERED),
    ("only urgent ones", facts(user(preference=Preference.CRITICAL)), Reason.PREFERENCE_LOWERED),
    ("still wants patches", facts(user(preference=Preference.PATCH)), None),
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


@cases(
    "notified covered",
    ("an urgent release covers itself as it was", patch("4.5.1", urgent=True), (patch("4.5.1"),)),
    ("a release that is not urgent covers nothing else", patch("4.5.1"), ()),
    ("the last stage covers all", support(ENDED), (support(THREE_MONTHS), support(TWO_WEEKS))),
    ("the first stage covers nothing else", support(THREE_MONTHS), ()),
)
def test_covered_identities(notified: Notice, covered: tuple[Notice, ...]) -> None:
    """They are the identities of notices that the sent one covers."""
    assert tuple(identity(notice) for notice in covered) == covered_identities(notified)
    assert all(is_covered_by(notice, notified) for notice in covered)
