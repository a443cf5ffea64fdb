"""Notices: their identities, and the form in which the ledger keeps them."""

import json
from dataclasses import replace
from datetime import date, timedelta, timezone

import pytest

from domain.examples import NOW, cases, minor, reminder, support, update, version
from domain.tool_notices import AT, CHECK, DELIVERY, FINISHED, MIGRATIONS, RECOVERED, RESTART, SERVICES
from mastodon_update_check.domain.identities import identity, subject
from mastodon_update_check.domain.notices import (
    Notice,
    SupportStage,
    UpdateNotice,
    UpdateType,
    is_urgent,
)
from mastodon_update_check.domain.stored_json import from_json, to_json

EVERY_KIND: tuple[tuple[Notice, str, str], ...] = (
    (update("4.5.20", urgent=True), "update/4.5.20", "update/4.5.20/urgent"),
    (update("v4.3.0-beta2+x"), "update/4.3.0-beta.2", "update/4.3.0-beta.2/plain"),
    (support(SupportStage.TWO_WEEKS), "support/4.5", "support/4.5/2027-02-20/two_weeks"),
    (CHECK, "check/20261122T130500Z", "check/20261122T130500Z/1"),
    (RECOVERED, "check/20261122T130500Z", "check/20261122T130500Z/recovered"),
    (DELIVERY, "delivery/webhook.ops/20261122T130500Z", "delivery/webhook.ops/20261122T130500Z/0"),
    (RESTART, "restart/4.5.20/4.5.19", "restart/4.5.20/4.5.19"),
    (MIGRATIONS, "migrations/4.5.20/20260805130216", "migrations/4.5.20/20260805130216"),
    (SERVICES, "restart/4.5.20/services", "restart/4.5.20/services"),
    (FINISHED, "migrations/4.5.20/20260805130216", "migrations/4.5.20/20260805130216/finished"),
    (
        replace(FINISHED, about=SERVICES),
        "restart/4.5.20/services",
        "restart/4.5.20/services/finished",
    ),
)


@pytest.mark.parametrize(("notice", "about", "told_once"), EVERY_KIND)
def test_identities_keep_their_spelling(notice: Notice, about: str, told_once: str) -> None:
    """Subjects and identities stand in ledgers: they are spelled so for good."""
    assert (subject(notice), identity(notice)) == (about, told_once)


@pytest.mark.parametrize("notice", [notice for notice, _, _ in EVERY_KIND])
def test_round_trip_through_the_ledger(notice: Notice) -> None:
    """Every notice comes back from JSON as it was, down to the spelling of its versions."""
    read = from_json(Notice, json.loads(json.dumps(to_json(notice))))
    assert (notice, to_json(notice)) == (read, to_json(read))


@cases(
    "other is_same",
    ("urgency is part of what is notified", update("4.5.20", urgent=True), False),
    ("another release", update("4.5.21"), False),
    ("a pre-release of it", update("4.5.20-rc.1"), False),
    ("a type", update("4.5.20", type=UpdateType.PATCH), True),
    ("release notes", update("4.5.20", notes="https://github.com/x"), True),
    ("a support date", update("4.5.20", ends_on=date(2027, 2, 20)), True),
    ("another spelling", update("v4.5.20+meta"), True),
)
def test_version_and_urgency_make_a_notice(other: UpdateNotice, *, is_same: bool) -> None:
    """Another version, or the same with another urgency, is another notice; nothing else is."""
    assert (identity(update("4.5.20")) == identity(other)) is is_same


def test_an_outage_is_named_in_utc() -> None:
    """One instant has one name in every time zone."""
    elsewhere = replace(CHECK, started_at=AT.astimezone(timezone(timedelta(hours=9))))
    assert identity(CHECK) == identity(elsewhere)


@cases(
    "installed newer kind",
    ("4.5.19", "4.5.20", UpdateType.PATCH),
    ("4.7.0-alpha.1", "4.7.0", UpdateType.PATCH),
    ("4.5.19", "4.6.0", UpdateType.MINOR),
    ("4.5.19", "4.10.0", UpdateType.MINOR),
    ("4.5.19", "5.5.19", UpdateType.MAJOR),
)
def test_type_between_versions(installed: str, newer: str, kind: UpdateType) -> None:
    """The type is the number that changes first."""
    assert UpdateType.between(version(installed), version(newer)) is kind


@cases(
    "notice expected",
    (update("4.5.20", urgent=True), True),
    (minor("4.6.0"), False),
    (support(SupportStage.ENDED), True),
    (support(SupportStage.TWO_WEEKS), False),
    (support(SupportStage.THREE_MONTHS), False),
    (CHECK, False),
    (RESTART, False),
)
def test_urgent_notices(notice: Notice, *, expected: bool) -> None:
    """Urgent updates, and a branch that is out of support: Mastodon mails both with urgent headers."""
    assert is_urgent(notice) is expected


AT_TEXT = AT.isoformat()
PLAIN_UPDATE = {
    "kind": "update",
    "version": "4.5.20",
    "urgent": False,
    "type": None,
    "release_notes": "",
    "end_of_support": None,
}
SERVICES_STORED = {
    "kind": "services_outdated",
    "version": "4.5.20+glitch",
    "services": ["mastodon-sidekiq.service"],
    "started_at": AT_TEXT,
}
STORED: tuple[tuple[Notice, dict[str, object]], ...] = (
    (update("4.5.20"), PLAIN_UPDATE),
    (
        update("4.6.0+x", urgent=True, type=UpdateType.MINOR, notes="https://x", ends_on=date(2028, 2, 29)),
        {
            **PLAIN_UPDATE,
            "version": "4.6.0+x",
            "urgent": True,
            "type": "minor",
            "release_notes": "https://x",
            "end_of_support": "2028-02-29",
        },
    ),
    (
        reminder(update("4.5.20")),
        {"kind": "reminder", "update": PLAIN_UPDATE, "number": 1, "told_at": NOW.isoformat()},
    ),
    (
        support(SupportStage.ENDED),
        {"kind": "support", "branch": "4.5", "ends_on": "2027-02-20", "stage": "ended"},
    ),
    (
        DELIVERY,
        {"kind": "delivery_failing", "sink": "webhook.ops", "started_at": AT_TEXT, "stage": 0, "detail": "HTTP 503"},
    ),
    (RESTART, {"kind": "restart", "tree": "4.5.20+glitch", "running": "4.5.19"}),
    (
        replace(CHECK, detail="why"),
        {"kind": "check_failing", "started_at": AT_TEXT, "stage": 1, "cause": "tls", "detail": "why"},
    ),
    (
        RECOVERED,
        {"kind": "check_recovered", "started_at": AT_TEXT, "recovered_at": RECOVERED.recovered_at.isoformat()},
    ),
    (
        replace(FINISHED, about=SERVICES),
        {"kind": "upgrade_finished", "about": SERVICES_STORED, "ended_at": FINISHED.ended_at.isoformat()},
    ),
)


@pytest.mark.parametrize(("notice", "stored"), STORED)
def test_stored_form_stays(notice: Notice, stored: dict[str, object]) -> None:
    """Ledgers of 0.1.0, and of every later release, are read; unknown names are left out."""
    assert to_json(notice) == stored
    assert from_json(Notice, {**stored, "of_tomorrow": 1}) == notice


@pytest.mark.parametrize("stored", [None, [], {}, {"kind": "x"}, {"kind": "restart"}, {**PLAIN_UPDATE, "version": 1}])
def test_damaged_notice_is_an_error(stored: object) -> None:
    """The ledger turns these errors into one that names the damage."""
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        from_json(Notice, stored)
