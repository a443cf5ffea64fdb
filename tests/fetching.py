"""What the tests of fetching share: a question that is to fail, and bounds that make it fail soon."""

from datetime import timedelta

import pytest

from mastodon_update_check.errors import CheckError
from mastodon_update_check.http.fetch import Bounds, fetch_json
from mastodon_update_check.http.net import Proxies
from simulators.http_server import Answer, HttpServer

DIRECT = Proxies()
SHORT = timedelta(milliseconds=200)
LONG = timedelta(seconds=30)
IMPATIENT = Bounds(connect=SHORT, read=SHORT, total=LONG)
HURRIED = Bounds(connect=LONG, read=LONG, total=SHORT)


def failure(url: str, *, proxies: Proxies = DIRECT, bounds: Bounds = IMPATIENT) -> CheckError:
    """Return the error with which the question ends."""
    with pytest.raises(CheckError) as caught:
        fetch_json(url, proxies=proxies, bounds=bounds)
    return caught.value


def failure_of(answer: Answer, *, bounds: Bounds = IMPATIENT) -> CheckError:
    """Return the error that one answer leads to."""
    with HttpServer(lambda _: answer) as server:
        return failure(server.url(), bounds=bounds)
