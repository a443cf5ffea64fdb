"""The upgrade route: which releases to deploy, in which order."""

import pytest

from domain.examples import update, version
from mastodon_update_check.domain.routes import find_route


@pytest.mark.parametrize(
    ("installed", "updates", "route"),
    [
        pytest.param("4.5.19", "", "", id="nothing newer: nowhere to go"),
        pytest.param("4.5.19", "4.5.20", "4.5.20", id="a patch of the own branch"),
        pytest.param("4.5.17", "4.5.20 4.5.18", "4.5.20", id="patches may be skipped"),
        pytest.param("4.5.20", "4.6.9", "4.6.9", id="the next series"),
        pytest.param("4.5.19", "4.7.6 4.5.20 4.6.9", "4.5.20 4.6.9 4.7.6", id="one release of every series"),
        pytest.param("4.5.19", "4.7.6 4.5.20", "4.5.20 4.6.x 4.7.6", id="a series that is not listed is passed too"),
        pytest.param("4.4.27", "4.7.6", "4.5.x 4.6.x 4.7.6", id="two of them"),
        pytest.param("3.5.19", "4.2.29", "4.0.x 4.1.x 4.2.29", id="from 3.5 to 4.x"),
        pytest.param("3.4.10", "3.5.19", "3.5.19", id="from 3.4"),
        pytest.param("4.6.1", "4.8.0", "4.7.x 4.8.0", id="a series that only the update server knows"),
        pytest.param("4.7.0", "5.1.0 5.0.3", "5.0.3 5.1.0", id="the next major"),
        pytest.param("4.6.0-beta.1", "4.6.0 4.6.0-rc.1", "4.6.0", id="from a pre-release to its release"),
    ],
)
def test_route(installed: str, updates: str, route: str) -> None:
    """The newest patch of every series on the way, the own one first."""
    assert tuple(route.split()) == find_route(version(installed), [update(text) for text in updates.split()])
