"""Follow-ups of an update notice: reminders until it is installed, then the notice of its installation."""

import json

import pytest

from end_to_end.world import World

URGENT = "URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"
REMINDER = "URGENT [social.example] Reminder: install Mastodon 4.5.20 (you run 4.5.19)"
PLAIN = "[social.example] Mastodon 4.5.20 is out (you run 4.5.19)"
INSTALLED = "[social.example] Mastodon 4.5.20 is installed"


def test_from_the_first_message_to_the_last(world: World) -> None:
    """Notified, reminded after one and three days, notified of the installation; by every sink, each once."""
    world.update_server.publish("4.5.20", urgent=True)
    assert world.check().result == (0, 3, 3, 0, 0)
    world.let_pass(hours=23)
    assert world.check().result == (0, 0, 0, 0, 0)
    for passed in (2, 48):
        world.let_pass(hours=passed)
        finished = world.check()
        assert finished.result == (0, 3, 3, 0, 0)
        assert finished.events("notice.update.reminder")[0]["versions"] == ["4.5.20"]
        assert world.check().result == (0, 0, 0, 0, 0)
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    finished = world.check()
    assert finished.result == (0, 3, 3, 0, 0)
    assert finished.events("notice.update.installed")[0]["versions"] == ["4.5.20"]
    assert world.subjects == [URGENT, REMINDER, REMINDER, INSTALLED]
    events = ["update.available", "update.reminder", "update.reminder", "update.installed"]
    assert (world.mail_events, world.hook_events) == (events, events)
    assert json.loads(world.calls[-1].body)["data"]["closed"] == [{"version": "4.5.20", "urgent": True}]
    threads = {mail.message["References"] for mail in world.mails}
    assert (len(threads), len({mail.message["Message-ID"] for mail in world.mails})) == (1, 4)
    for version in ("4.5.19", "4.5.20", "4.5.21"):
        world.set(UPDATE_CHECK_MASTODON_VERSION=version, UPDATE_CHECK_REMINDERS="none")
        assert world.check().result == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("settings", "urgent", "expected"),
    [
        pytest.param({}, False, [PLAIN], id="the default, not urgent"),
        pytest.param(
            {"UPDATE_CHECK_REMINDERS": "none", "UPDATE_CHECK_CLOSURE": "none"}, True, [URGENT], id="neither of them"
        ),
        pytest.param(
            {"UPDATE_CHECK_REMINDERS": "all", "UPDATE_CHECK_CLOSURE": "all"},
            False,
            [PLAIN, "[social.example] Reminder: Mastodon 4.5.20 is out (you run 4.5.19)"],
            id="all: no closure of an update that was not urgent by mail",
        ),
    ],
)
def test_as_it_is_set(world: World, settings: dict[str, str], expected: list[str], *, urgent: bool) -> None:
    """`UPDATE_CHECK_REMINDERS` and `UPDATE_CHECK_CLOSURE` decide, and the first letter promises no more than that."""
    world.set(**settings)
    world.update_server.publish("4.5.20", urgent=urgent)
    world.check()
    assert ("Reminders come in 1, 3 and 7 days" in world.texts[0]) is any("Reminder" in subject for subject in expected)
    world.let_pass(days=1, hours=1)
    rehearsed = world.run("check", "--dry-run").out
    assert (" log: reminder 1 of 4.5.20\n" in rehearsed) is any("Reminder" in subject for subject in expected)
    world.check()
    world.set(UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    finished = world.check()
    assert world.subjects == expected
    assert "settings.without_effect" not in finished.err
    assert (settings.get("UPDATE_CHECK_CLOSURE") == "all" or INSTALLED in expected) is (
        "update.installed" in world.hook_events
    )
