"""Reminders and words of closure, read as their recipients do."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from domain.examples import NOW, cases, days, hook, installed, named, reminder, skip, version
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.recipients import FollowUps
from mastodon_update_check.messages.content import MessageContext
from mastodon_update_check.messages.message import Message
from messages.test_update_content import ADMIN, UNSAID
from messages.writing import ENDS_ON, NOTES, body, footer, make_context, minor, patch, write

URGENT, PLAIN, NEWER, NEWEST = (
    patch("4.5.20", urgent=True),
    patch("4.5.20"),
    patch("4.5.21", urgent=True),
    minor("4.7.6"),
)
STOP = "to stop them: sudo mastodon-update-check skip"


def context(
    pending: Sequence[UpdateNotice], mode: FollowUps = FollowUps.URGENT, later: int = 0, runs: str = "4.5.19"
) -> MessageContext:
    """Return what is true some days later, with reminders."""
    return make_context(pending, runs, now=NOW + days(later), reminders=mode)


def data(message: Message) -> dict[str, Any]:
    """Return the payload's data."""
    found = message.payload["data"]
    assert isinstance(found, dict)
    return found


@cases(
    "new mode promise",
    ("urgent", [URGENT], FollowUps.URGENT, f"{STOP} 4.5.20"),
    ("a strange version", [patch("4.5.20;id", urgent=True)], FollowUps.URGENT, f"{STOP} 4.5.20_id"),
    ("reminders are turned off", [URGENT], FollowUps.NONE, None),
    ("not urgent", [PLAIN], FollowUps.URGENT, None),
    ("of all", [PLAIN, NEWEST], FollowUps.ALL, f"{STOP} 4.5.20 4.7.6"),
    ("skipping the newest will do", [URGENT, NEWER, NEWEST], FollowUps.URGENT, f"{STOP} 4.5.21"),
    ("nothing to act on", [minor("4.7.6", urgent=True)], FollowUps.URGENT, None),
)
def test_message_names_the_next_reminder(new: list[UpdateNotice], mode: FollowUps, promise: str | None) -> None:
    """The letter about an update says how often there will be reminders and how to stop them, if there will be any."""
    said = [line for line in body(write(new, context(new, mode))) if "Reminders" in line]
    expected = [] if promise is None else [f"Reminders come in 1, 3 and 7 days, then weekly; {promise}"]
    assert said == expected


def test_a_reminder() -> None:
    """The pending update, since when it is known, the next reminder, and how to stop them."""
    message = write([reminder(URGENT)], replace(context([URGENT, NEWEST], later=1), now=NOW + days(1)))
    assert message.subject == "URGENT [social.example] Reminder: install Mastodon 4.5.20 (you run 4.5.19)"
    assert (message.type, message.urgent) == ("update.reminder", True)
    assert body(message) == [
        "4.5.20 is not installed yet. You have known of it since 23 November.",
        f"now 4.5.20 urgent {NOTES}4.5.20",
        UNSAID,
        "Also out, not marked urgent: 4.7.6.",
        f"Reminders come in 1, 3 and 7 days, then weekly; {STOP} 4.5.20",
        ADMIN,
    ]
    assert "To you as Owner of social.example (your setting: all; change it at" in footer(message)
    assert write([URGENT]).thread == message.thread


def test_a_reminder_of_several() -> None:
    """With `all` there may be several in one message, none of them urgent."""
    message = write([reminder(PLAIN, 3), reminder(NEWEST, 3)], context([PLAIN, NEWEST], FollowUps.ALL, later=8))
    assert message.subject == "[social.example] Reminder: Mastodon 4.5.20 and 4.7.6 are out (you run 4.5.19)"
    assert not message.urgent
    assert body(message) == [
        "Not installed yet: 4.5.20 and 4.7.6. You have known of them since 23 November.",
        f"4.5.20 patch {NOTES}4.5.20 4.7.6 minor {NOTES}4.7.6",
        (
            "The route to 4.7.6, one after the other: 4.5.20 > 4.6.x > 4.7.6. x is the newest patch of that branch. "
            "For the steps, run: sudo mastodon-update-check route"
        ),
        f"Reminders come in 1, 3 and 7 days, then weekly; {STOP} 4.5.20 4.7.6",
        ADMIN,
    ]


def test_a_reminder_of_one_that_is_not_urgent() -> None:
    """No hurry, and no caution."""
    message = write([reminder(PLAIN)], context([PLAIN], FollowUps.ALL, later=1))
    assert message.subject == "[social.example] Reminder: Mastodon 4.5.20 is out (you run 4.5.19)"
    assert body(message)[0] == "4.5.20 is not installed yet. You have known of it since 23 November."


def test_payload_of_a_reminder() -> None:
    """Its number, since when it is known, and the update itself first; nothing is marked as new."""
    found = data(write([reminder(URGENT, 2)], context([URGENT, NEWEST]), hook()))
    assert found["reminders"] == [{"version": "4.5.20", "number": 2, "told_at": "2026-11-23T02:07:00.000Z"}]
    assert [(one["version"], one["new"]) for one in found["updates"]] == [("4.5.20", False), ("4.7.6", False)]


@cases(
    "closed runs sentence",
    ("itself", [URGENT], "4.5.20", "4.5.20 is installed."),
    ("a newer one", [URGENT], "4.5.21", "4.5.21 is installed. That settles 4.5.20."),
    ("two at once", [URGENT, NEWER], "4.5.22", "4.5.22 is installed. That settles 4.5.21 and 4.5.20."),
)
def test_closure(closed: list[UpdateNotice], runs: str, sentence: str) -> None:
    """The running version, the updates that it settles, and those that are left."""
    message = write([installed(one) for one in closed], context([NEWEST], runs=runs))
    assert message.subject == f"[social.example] Mastodon {runs} is installed"
    assert (message.type, message.urgent) == ("update.installed", False)
    assert body(message) == [f"{sentence} There will be no more reminders.", "Also out, not marked urgent: 4.7.6."]
    assert write([closed[-1]]).thread == message.thread


def test_closure_with_an_end_of_support() -> None:
    """Until when the branch gets fixes is said here, too; of reminders only when there were any."""
    known = make_context([], "4.5.20", ENDS_ON)
    message = write([installed(PLAIN)], known, named("ops@social.example"))
    assert body(message) == ["4.5.20 is installed.", "Branch 4.5 gets fixes until 20 February 2027."]
    assert "(all); change UPDATE_CHECK_RECIPIENTS there." in footer(message)


def test_payload_of_a_closure() -> None:
    """The settled updates, and those that are left."""
    found = data(write([installed(URGENT)], context([NEWEST], runs="4.5.21"), hook()))
    assert found["closed"] == [{"version": "4.5.20", "urgent": True}]
    assert (found["installed_version"], [one["version"] for one in found["updates"]]) == ("4.5.21", ["4.7.6"])


def test_skipped_release_is_not_mentioned() -> None:
    """It is not mentioned; the route to the newest release stays the same."""
    known = context([PLAIN, NEWEST])
    known = replace(known, knowledge=replace(known.knowledge, skips=(skip("4.5.20"),)))
    message = write([NEWEST], known)
    assert not any("4.5.20" in line for line in body(message))
    found = data(message)
    assert ([one["version"] for one in found["updates"]], found["route"]) == (["4.7.6"], ["4.5.20", "4.6.x", "4.7.6"])
    assert version("4.5.19") == known.knowledge.installed
