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
    assert (75, 1, 0, 1, 0) == world.check().result
    world.set(SMTP_PORT=port, UPDATE_CHECK_URL="", UPDATE_CHECK_MASTODON_VERSION="4.5.20")
    world.let_pass(hours=1)
    assert (0, 0, 0, 0, 0) == world.check().result
    assert (["4.5.19"], []) == (world.update_server.asked, world.mails)


def test_case_6_default_address(world: World) -> None:
    """Case 6: without an address it is the one of Mastodon's project."""
    environ = {name: value for name, value in world.environment.items() if name != "UPDATE_CHECK_URL"}
    assert "https://api.joinmastodon.org/update-check" == load_settings(environ).url


@pytest.mark.parametrize(
    ("installed", "asked"),
    [("4.5.19", "4.5.19"), ("4.3.0-beta2+my-fork", "4.3.0-beta2"), ("4.5.0+meta+hometown-1.1.2", "4.5.0")],
)
def test_case_7_address_of_ones_own(world: World, installed: str, asked: str) -> None:
    """Case 7: an address of one's own is asked with the version up to the first `+`."""
    world.answer_hook = lambda request: Reply.json({"updatesAvailable": []}) if request.method == "GET" else Reply(204)
    world.set(UPDATE_CHECK_URL=world.receiver.url("/update_check"), UPDATE_CHECK_MASTODON_VERSION=installed)
    assert 0 == world.check().code
    assert [f"/update_check?version={asked}"] == [call.target for call in world.calls]
