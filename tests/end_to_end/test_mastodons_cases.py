"""Mastodon's own cases about the update server's address (docs/MASTODON.md); others: domain/test_planning.py."""

import pytest

from end_to_end.world import World
from mastodon_update_check.config import load_settings
from simulators.http_server import Reply


def test_case_5_blank_address(world: World) -> None:
    """Case 5: with a blank address nothing is asked, and releases installed meanwhile are no longer sent."""
    world.only("email")
    port = world.environment["SMTP_PORT"]
    world.set(SMTP_PORT="1")
    world.update_server.publish("4.5.20")
    assert world.check().result == (75, 1, 0, 1, 0)
    world.set(SMTP_PORT=port, UPDATE_CHECK_URL="", UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    world.let_pass(hours=1)
    assert world.check().result == (0, 0, 0, 0, 0)
    assert (world.update_server.asked, world.mails) == (["4.5.19"], [])


def test_case_6_default_address(world: World) -> None:
    """Case 6: without an address it is the one of Mastodon's project."""
    environ = {name: value for name, value in world.environment.items() if name != "UPDATE_CHECK_URL"}
    assert load_settings(environ).url == "https://api.joinmastodon.org/update-check"


@pytest.mark.parametrize(
    ("installed", "asked"),
    [("4.5.19", "4.5.19"), ("4.3.0-beta2+my-fork", "4.3.0-beta2"), ("4.5.0+meta+hometown-1.1.2", "4.5.0")],
)
def test_case_7_address_of_ones_own(world: World, installed: str, asked: str) -> None:
    """Case 7: an address of one's own is asked with the version up to the first `+`."""
    world.answer_hook = lambda request: Reply.json({"updatesAvailable": []}) if request.method == "GET" else Reply(204)
    world.set(UPDATE_CHECK_URL=world.receiver.url("/update_check"), UPDATE_CHECK_MASTODON_VERSION=installed)
    assert world.check().code == 0
    assert [call.target for call in world.calls] == [f"/update_check?version={asked}"]
