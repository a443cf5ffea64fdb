"""The JSON body, which receivers rely on."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.examples import NOW, cases, support
from domain.tool_notices import CHECK, DELIVERY, RECOVERED, RESTART
from mastodon_update_check.domain.notices import Notice, SupportStage, UpdateNotice
from mastodon_update_check.domain.release_details import Requirement, UpgradeStep
from mastodon_update_check.domain.stored_json import to_json
from mastodon_update_check.messages.payload import describe_support, list_updates
from messages.writing import ENDS_ON, NOTES, details, fix, make_context, minor, patch, write

URGENT, NEXT = patch("4.5.20", urgent=True), minor("4.6.9", ends_on=date(2027, 8, 20))
KEYS = {"instance", "installed_version", "urgent", "updates", "support", "route"}


def data(*notices: Notice, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - as the make_context take them
    """Return the body's data, as a receiver reads it."""
    payload = json.loads(json.dumps(write(notices, make_context(**fields)).payload))
    found: dict[str, Any] = payload["data"]
    return found


def test_an_update() -> None:
    """The whole body of a message about a release, key by key."""
    context = make_context([URGENT, NEXT], "4.5.19+glitch", ENDS_ON)
    assert json.loads(json.dumps(write([URGENT], context).payload)) == {
        "type": "update.available",
        "timestamp": "2026-11-23T02:07:00.000Z",
        "data": {
            "instance": "social.example",
            "installed_version": "4.5.19+glitch",
            "urgent": True,
            "updates": [
                {
                    "version": "4.5.20",
                    "type": "patch",
                    "urgent": True,
                    "release_notes": f"{NOTES}4.5.20",
                    "end_of_support": None,
                    "branch": "4.5",
                    "new": True,
                },
                {
                    "version": "4.6.9",
                    "type": "minor",
                    "urgent": False,
                    "release_notes": f"{NOTES}4.6.9",
                    "end_of_support": "2027-08-20",
                    "branch": "4.6",
                    "new": False,
                },
            ],
            "support": {"branch": "4.5", "end_of_support": "2027-02-20", "stage": "three_months"},
            "route": ["4.5.20", "4.6.9"],
        },
    }


@pytest.mark.parametrize("notice", [CHECK, RECOVERED, DELIVERY, RESTART])
def test_notices_about_this_tool(notice: Notice) -> None:
    """The same keys as for releases, and the notice itself, in the form that the ledger keeps."""
    found = data(notice, pending=[NEXT])
    assert set(found) == KEYS | {"notice"}
    assert (found["notice"], found["urgent"], found["route"]) == (to_json(notice), False, ["4.6.9"])


@cases("stage ends_on urgent", (SupportStage.TWO_WEEKS, ENDS_ON, False), (SupportStage.ENDED, date(2026, 11, 22), True))
def test_a_support_notice(stage: SupportStage, ends_on: date, *, urgent: bool) -> None:
    """Its branch, date and stage; out of support is urgent."""
    found = data(support(stage, ends_on), ends_on=ends_on)
    assert set(found) == KEYS
    assert (found["support"], found["urgent"], found["updates"], found["route"]) == (
        {"branch": "4.5", "end_of_support": ends_on.isoformat(), "stage": str(stage)},
        urgent,
        [],
        [],
    )


def test_nothing_known() -> None:
    """Unknown values are null, or an empty list."""
    found = data(RESTART, installed=None)
    assert (found["installed_version"], found["support"], found["updates"], found["route"]) == (None, None, [], [])


def test_timestamps() -> None:
    """Instants have milliseconds and end in `Z`."""
    recovered = replace(RECOVERED, recovered_at=datetime(2026, 11, 24, tzinfo=UTC))
    assert write([recovered]).payload["timestamp"] == "2026-11-23T02:07:00.000Z"


def test_at_most_twenty_updates() -> None:
    """New updates come first, then other pending ones; twenty in all, urgent ones first."""
    many = [patch(f"4.5.{number}", urgent=number == 30) for number in range(20, 50)]
    found = list_updates(make_context().knowledge, [*many, NEXT], [NEXT])
    assert [update["version"] for update in found[:3]] == ["4.6.9", "4.5.30", "4.5.49"]
    assert (len(found), [update["new"] for update in found]) == (20, [True] + [False] * 19)


def test_unknown_fields_of_an_update() -> None:
    """Without type and notes both are null."""
    (found,) = list_updates(make_context().knowledge, [], [UpdateNotice(version=NEXT.version)])
    assert (found["type"], found["release_notes"], found["end_of_support"]) == (None, None, None)


@cases(
    "ends_on installed expected",
    (ENDS_ON, "4.5.19", {"branch": "4.5", "end_of_support": "2027-02-20", "stage": None}),
    (None, "4.5.19", None),
    (ENDS_ON, None, None),
)
def test_support_without_a_notice(ends_on: date | None, installed: str | None, expected: object) -> None:
    """While the end is far away its date is given without a stage."""
    known = make_context(installed=installed, ends_on=ends_on).knowledge
    assert describe_support(known, NOW - timedelta(days=60)) == expected


def test_release_details() -> None:
    """Fixes, requirements and steps of each release of which they are known; null stands for unknown."""
    postgresql = Requirement(name="PostgreSQL", minimum="14", found="13.14", is_met=False)
    known = details(
        "4.5.20",
        [fix("Fix it", "GHSA-vwhj-3g83-v276", is_container_only=True)],
        [UpgradeStep.BUNDLE_INSTALL],
        requires=[postgresql],
    )
    own, other = patch("4.5.20"), minor("4.6.9")
    context = make_context([own, other], details=[known, details("4.6.9", None, requires=None)])
    first, second = write([own], context).payload["data"]["updates"]  # type: ignore[index]
    assert first["details"] == {
        "fixes": [{"text": "Fix it", "ids": ["GHSA-vwhj-3g83-v276"]}],
        "container_only": True,
        "requires": [{"name": "PostgreSQL", "minimum": "14", "found": "13.14", "met": False}],
        "steps": {
            "ruby": False,
            "bundle_install": True,
            "yarn_install": False,
            "assets": None,
            "migrations": False,
            "restart_streaming": False,
        },
    }
    assert (second["details"]["fixes"], second["details"]["container_only"], second["details"]["requires"]) == (
        None,
        None,
        None,
    )
    assert "details" not in write([own]).payload["data"]["updates"][0]  # type: ignore[index]
