"""Sequences of checks: releases and dates that change, and outages of this tool's own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.examples import facts, feed, minor, patch, update, user
from domain.rows import Rows, Step, play
from domain.tool_notices import CHECK, RECOVERED
from mastodon_update_check.domain.feeds import Feed
from mastodon_update_check.domain.notices import UpdateType
from mastodon_update_check.domain.planning.facts import Facts
from mastodon_update_check.domain.recipients import Preference, Recipient

ANN, BEN, CAREFUL = user(1), user(2), user(3, Preference.CRITICAL)
PLAIN, URGENT = patch("4.5.20"), patch("4.5.20", urgent=True)
PLAIN_OF_ANN, URGENT_OF_ANN = "user:1 update/4.5.20/plain", "user:1 update/4.5.20/urgent"
OLD = facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19"), PLAIN))
OLDER = facts(ANN, installed="4.5.18", answer=feed(patch("4.5.19")))
LISTED, URGENTLY, UNLISTED = (facts(ANN, answer=feed(*updates)) for updates in ([PLAIN], [URGENT], []))
LISTED_TO_BOTH, URGENTLY_TO_BOTH = (facts(ANN, CAREFUL, answer=feed(one)) for one in (PLAIN, URGENT))
INSTALLED = facts(ANN, installed="4.5.20", answer=feed())
OTHERWISE = update("4.5.20", type=UpdateType.MINOR, notes="https://x.example", ends_on=date(2030, 1, 1))
PLANNED: Step = (LISTED, f"{PLAIN_OF_ANN} patch_update")

UPDATES: dict[str, list[Step]] = {
    "withdrawn and listed again before it was sent": [PLANNED, (UNLISTED, f"-{PLAIN_OF_ANN} withdrawn"), PLANNED],
    "withdrawn and listed again: Mastodon mails it each time": [PLANNED, "send", (UNLISTED,), (LISTED,)],
    "a forgotten older process (mastodon#30952, #40617)": [
        (OLD, "user:1 update/4.5.19/plain patch_update", f"{PLAIN_OF_ANN} patch_update"),
        *("send", (LISTED,), (OLD,), (LISTED,), (OLD,)),
    ],
    "urgency that falls and rises after it was sent": [
        (URGENTLY, f"{URGENT_OF_ANN} urgent_update"),
        *("send", (LISTED,), (URGENTLY,), (LISTED,)),
    ],
    "urgency that rises before it was sent": [
        PLANNED,
        (URGENTLY, f"-{PLAIN_OF_ANN} urgency_rose", f"{URGENT_OF_ANN} urgent_update"),
    ],
    "urgency that rises while it is sent": [PLANNED, "claim", (URGENTLY, f"{URGENT_OF_ANN} urgent_update")],
    "urgency that rises after it was sent: Mastodon sends nothing": [
        (LISTED_TO_BOTH, f"{PLAIN_OF_ANN} patch_update"),
        "send",
        (URGENTLY_TO_BOTH, f"{URGENT_OF_ANN} urgent_update", "user:3 update/4.5.20/urgent urgent_update"),
        *("send", (URGENTLY_TO_BOTH,)),
    ],
    "urgency that falls before it was sent": [
        (URGENTLY_TO_BOTH, f"{URGENT_OF_ANN} urgent_update", "user:3 update/4.5.20/urgent urgent_update"),
        (
            LISTED_TO_BOTH,
            f"-{URGENT_OF_ANN} urgency_fell",
            "-user:3 update/4.5.20/urgent urgency_fell",
            f"{PLAIN_OF_ANN} patch_update",
        ),
    ],
    "installed while it waits": [PLANNED, (INSTALLED, f"-{PLAIN_OF_ANN} installed")],
    "installed after it was refused": [PLANNED, "refuse", (INSTALLED, f"-{PLAIN_OF_ANN} installed")],
    "withdrawn after it was refused": [PLANNED, "refuse", (UNLISTED, f"-{PLAIN_OF_ANN} withdrawn")],
    "a downgrade": [
        (OLDER, "user:1 update/4.5.19/plain patch_update"),
        *("send", (OLD, f"{PLAIN_OF_ANN} patch_update")),
        *((INSTALLED, f"-{PLAIN_OF_ANN} installed"), (OLD, f"{PLAIN_OF_ANN} patch_update")),
    ],
    "an answer that could be read in part": [
        PLANNED,
        (facts(ANN, answer=feed(minor("4.6.9"), is_complete=False)), "user:1 update/4.6.9/plain any_update"),
    ],
    "another type, link and date of a known release": [PLANNED, (facts(ANN, answer=feed(OTHERWISE)),)],
}


@pytest.mark.parametrize("steps", UPDATES.values(), ids=UPDATES)
def test_updates(steps: Sequence[Step]) -> None:
    """Releases that are withdrawn, installed, or change their urgency; a sent notice is remembered permanently."""
    play(steps)


def test_notice_that_returns_has_the_same_message_id() -> None:
    """By it a receiver recognises a repeat."""
    rows = Rows()
    first = rows.plan(LISTED)
    rows.plan(UNLISTED)
    assert rows.plan(LISTED).messages[0].id == first.messages[0].id


MISSING = {
    "the update server did not answer": facts(ANN, installed="4.4.26", answer=None),
    "its answer had no list": facts(ANN, installed="4.4.26", answer=Feed(updates=(), is_complete=False)),
    "its answer had bad entries": facts(ANN, installed="4.4.26", answer=feed(is_complete=False)),
    "the installed version could not be read": facts(ANN, installed=None, answer=None),
    "nothing could be asked at all": facts(installed=None, answer=None, unasked=["email"]),
}


@pytest.mark.parametrize("known", MISSING.values(), ids=MISSING)
def test_missing_answers_change_nothing(known: Facts) -> None:
    """A failure to ask is never an empty list of recipients or of updates."""
    rows = Rows()
    rows.plan(facts(ANN, installed="4.4.26", answer=feed(patch("4.4.27"), ends_on=date(2026, 12, 17))))
    made = rows.plan(known)
    assert (made.changes, made.messages) == ((), ())
    assert set(rows.states().values()) == {"pending"}


def supported(day: str = "2026-11-23", until: str = "2026-12-17", recipient: Recipient = ANN) -> Facts:
    """Return what a check at noon of that day knows beside a branch whose support ends then."""
    now = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    return facts(recipient, installed="4.4.27", answer=feed(ends_on=date.fromisoformat(until)), now=now)


def ends(stage: str, until: str = "2026-12-17") -> str:
    """Return Ann's support notice."""
    return f"user:1 support/4.4/{until}/{stage} support_ends"


FAR_OFF: Step = (supported(), ends("three_months"))
NO_WARNINGS = supported(recipient=user(wants_support=False))
SUPPORT: dict[str, list[Step]] = {
    "each stage once": [
        *((supported("2025-12-17"),), (supported("2026-10-17"), ends("three_months")), "send"),
        *((supported("2026-10-18"),), (supported("2026-12-07"), ends("two_weeks")), "send"),
        *((supported("2026-12-08"),), (supported("2026-12-18"), ends("ended")), "send", (supported("2026-12-19"),)),
    ],
    "the switch of support warnings": [
        *((NO_WARNINGS,), FAR_OFF),
        (NO_WARNINGS, "-user:1 support/4.4/2026-12-17/three_months preference_lowered"),
    ],
    "a later stage takes the place of an earlier one": [
        FAR_OFF,
        (supported("2026-12-10"), "-user:1 support/4.4/2026-12-17/three_months later_stage", ends("two_weeks")),
    ],
    "after three dates of a stage in 30 days the next one waits, and is not lost": [
        *((supported("2026-11-01", "2026-10-01"), ends("ended", "2026-10-01")), "send"),
        *((supported("2026-11-02", "2026-08-20"), ends("ended", "2026-08-20")), "send"),
        *((supported("2026-11-03", "2026-07-10"), ends("ended", "2026-07-10")), "send"),
        (supported("2026-11-04", "2026-06-01"),),
        *((supported("2026-12-01", "2026-06-01"), ends("ended", "2026-06-01")), "send"),
        (supported("2026-12-02", "2026-06-01"),),
    ],
    "a date that moves by 29 days": [FAR_OFF, "send", (supported(until="2027-01-15"),)],
    "a date that moves by -22 days": [
        *((supported("2026-11-01"), ends("three_months")), "send"),
        (supported("2026-11-01", "2026-11-25"),),
    ],
    "a date that moves by 30 days: Mastodon sends nothing": [
        *(FAR_OFF, "send"),
        (supported(until="2027-01-16"), ends("three_months", "2027-01-16")),
    ],
    "a date that moves before it was sent": [
        FAR_OFF,
        (
            supported(until="2026-12-18"),
            "-user:1 support/4.4/2026-12-17/three_months date_moved",
            ends("three_months", "2026-12-18"),
        ),
    ],
    "a stage that goes back, as in Mastodon": [
        *((supported("2026-12-10"), ends("two_weeks")), "send"),
        (supported("2026-12-10", "2027-02-17"), ends("three_months", "2027-02-17")),
    ],
    "an upgrade to another branch, while checking is off": [
        FAR_OFF,
        (facts(ANN, installed="4.5.20", answer=None), "-user:1 support/4.4/2026-12-17/three_months branch_left"),
    ],
}


@pytest.mark.parametrize("steps", SUPPORT.values(), ids=SUPPORT)
def test_support(steps: Sequence[Step]) -> None:
    """The end of support, stage by stage, and dates that move."""
    play(steps)


OUTAGE = "user:1 check/20261122T130500Z"
FAILING: Step = (facts(ANN, tool_notices=[CHECK]), f"{OUTAGE}/1 operator")
OVER = facts(ANN, BEN, tool_notices=[RECOVERED])
OUTAGES: dict[str, list[Step]] = {
    "recovery goes only to recipients of the failure": [
        FAILING,
        "send",
        (OVER, f"{OUTAGE}/recovered operator"),
        (OVER,),
    ],
    "a failure that was never sent has no recovery": [FAILING, (OVER, f"-{OUTAGE}/1 later_stage")],
    "a later stage takes the place of one that waits": [
        FAILING,
        (
            facts(ANN, tool_notices=[replace(CHECK, stage=2)]),
            f"-{OUTAGE}/1 later_stage",
            f"{OUTAGE}/2 operator",
        ),
    ],
}


@pytest.mark.parametrize("steps", OUTAGES.values(), ids=OUTAGES)
def test_outages(steps: Sequence[Step]) -> None:
    """Each stage of an outage is planned once, and its end only after it."""
    play(steps)
