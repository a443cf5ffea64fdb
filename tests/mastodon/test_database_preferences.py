"""A user's settings in Mastodon's database: they decide which notices the user gets, and no content is an error."""

from contextlib import closing

import pytest

from domain.examples import cases
from mastodon.databases import DIRECT, ask, populated, socket_address
from mastodon_update_check.domain.recipients import Preference
from simulators.postgres import Postgres


@pytest.fixture(scope="module")
def wishes(postgres: Postgres) -> dict[str, str]:
    """Return databases whose owner's settings may be changed, by version."""
    return {version: populated(postgres, f"wishes of {version}", version) for version in ("4.2", "4.7")}


def padded(length: int) -> str:
    """Return settings of this length."""
    start = '{"notification_emails.software_updates": "all", "x": "'
    return f'{start}{"x" * (length - len(start) - 2)}"}}'


ALL = '"notification_emails.software_updates": "all"'


@pytest.mark.parametrize("version", ["4.2", "4.7"])
@cases(
    "settings preference support warnings",
    ("NULL", None, "critical", True, 0),
    ("empty", "", "critical", True, 0),
    ("an empty object", "{}", "critical", True, 0),
    ("none", '{"notification_emails.software_updates": "none"}', "none", True, 0),
    ("critical", '{"notification_emails.software_updates": "critical"}', "critical", True, 0),
    ("patch", '{"notification_emails.software_updates": "patch"}', "patch", True, 0),
    ("all", '{"notification_emails.software_updates": "all"}', "all", True, 0),
    ("unknown", '{"notification_emails.software_updates": "major"}', "critical", True, 1),
    ("a null", '{"notification_emails.software_updates": null}', "critical", True, 0),
    ("support off", '{"notification_emails.end_of_support": false}', "critical", False, 0),
    ("support on", '{"notification_emails.end_of_support": true}', "critical", True, 0),
    ("support as a text", '{"notification_emails.end_of_support": "false"}', "critical", True, 1),
    ("broken", "{", "critical", True, 1),
    ("a list", "[]", "critical", True, 1),
    ("among others", f'{{"a": "x, {{\\" ", {ALL} , "b": 1}}', "all", True, 0),
    ("both", f'{{"notification_emails.end_of_support":false,{ALL}}}', "all", False, 0),
    ("inside a text", '{"a": "{\\"notification_emails.software_updates\\": \\"all\\"}"}', "critical", True, 0),
    ("a list as preference", '{"notification_emails.software_updates": ["all"]}', "critical", True, 1),
    ("padded", ' {"notification_emails.software_updates": "all"}'.ljust(9_000_000), "all", True, 0),
    ("as long as it may be", padded(65_536), "all", True, 0),
    ("too long", padded(65_537), "critical", True, 1),
    ("far too long", padded(9_000_000), "critical", True, 1),
)
def test_preferences(
    postgres: Postgres,
    wishes: dict[str, str],
    version: str,
    *,
    settings: str | None,
    preference: str,
    support: bool,
    warnings: int,
) -> None:
    """`users.settings` decides which notices a user gets; no content of it is an error."""
    with closing(postgres.connect(wishes[version], DIRECT)) as connection:
        connection.execute("UPDATE users SET settings = %s WHERE id = 1", [settings])
    staff = ask(socket_address(postgres, wishes[version]))
    owner = staff.verdicts[0].recipient
    assert owner is not None
    assert (Preference(preference), support) == (owner.preference, owner.wants_support)
    assert len([warning for warning in staff.warnings if warning.startswith("owner has ")]) == warnings
