"""Where the ledger is: at the configured path, else where state belongs, and never at a guessed place."""

from pathlib import Path

import pytest

from config.machine import Machine
from mastodon_update_check.config import load_settings


@pytest.mark.parametrize(
    ("environ", "ledger"),
    [
        ({"UPDATE_CHECK_LEDGER": "/x/y.sqlite3", "STATE_DIRECTORY": "/s"}, "/x/y.sqlite3"),
        ({"STATE_DIRECTORY": "/s/one:/s/two", "HOME": "/h"}, "/s/one/ledger.sqlite3"),
        ({"XDG_STATE_HOME": "/state", "HOME": "/h"}, "/state/mastodon-update-check/ledger.sqlite3"),
        ({"HOME": "/h"}, "/h/.local/state/mastodon-update-check/ledger.sqlite3"),
        ({"XDG_STATE_HOME": "rel", "HOME": "/h"}, "/h/.local/state/mastodon-update-check/ledger.sqlite3"),
    ],
)
def test_ledger_without_a_file_of_ours(environ: dict[str, str], ledger: str) -> None:
    """The ledger is at the configured path, else where state belongs."""
    assert (
        load_settings({**environ, "UPDATE_CHECK_MASTODON_ROOT": "/nowhere"}, Path("/nowhere/config.env")).ledger
        == ledger
    )


def test_ledger_with_a_file_of_ours(machine: Machine) -> None:
    """A command in a shell uses the ledger of the installed unit."""
    expected = "/var/lib/mastodon-update-check/ledger.sqlite3"
    assert machine.load({"XDG_STATE_HOME": "/state"}).ledger == expected


def test_ledger_without_a_place(machine: Machine) -> None:
    """Where nothing says where state belongs, nothing is guessed."""
    assert machine.problems({"UPDATE_CHECK_CONFIG": "", "HOME": ""}) == [
        "UPDATE_CHECK_LEDGER in default: no place for the ledger: set it, or HOME, or STATE_DIRECTORY."
    ]
