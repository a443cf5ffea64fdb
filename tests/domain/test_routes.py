"""The upgrade route: which releases to deploy, in which order."""

from domain.examples import cases, update, version
from mastodon_update_check.domain.routes import find_route


@cases(
    "installed updates route",
    ("nothing newer: nowhere to go", "4.5.19", "", ""),
    ("a patch of the own branch", "4.5.19", "4.5.20", "4.5.20"),
    ("patches may be skipped", "4.5.17", "4.5.20 4.5.18", "4.5.20"),
    ("the next series", "4.5.20", "4.6.9", "4.6.9"),
    ("one release of every series", "4.5.19", "4.7.6 4.5.20 4.6.9", "4.5.20 4.6.9 4.7.6"),
    ("a series that is not listed is passed too", "4.5.19", "4.7.6 4.5.20", "4.5.20 4.6.x 4.7.6"),
    ("two of them", "4.4.27", "4.7.6", "4.5.x 4.6.x 4.7.6"),
    ("from 3.5 to 4.x", "3.5.19", "4.2.29", "4.0.x 4.1.x 4.2.29"),
    ("from 3.4", "3.4.10", "3.5.19", "3.5.19"),
    ("a series that only the update server knows", "4.6.1", "4.8.0", "4.7.x 4.8.0"),
    ("the next major", "4.7.0", "5.1.0 5.0.3", "5.0.3 5.1.0"),
    ("from a pre-release to its release", "4.6.0-beta.1", "4.6.0 4.6.0-rc.1", "4.6.0"),
)
def test_route(installed: str, updates: str, route: str) -> None:
    """The newest patch of every series on the way, the own one first."""
    assert tuple(route.split()) == find_route(version(installed), [update(text) for text in updates.split()])
