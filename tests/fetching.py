"""Shared by the tests of the HTTP client: a request that must fail, and limits for servers that are silent or slow."""

from datetime import timedelta

import pytest

from mastodon_update_check.errors import CheckError
from mastodon_update_check.http.client import get_document, read_json
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Limits, Request
from simulators.http_server import Answer, HttpServer

DIRECT = Proxies()
SHORT = timedelta(milliseconds=200)
LONG = timedelta(seconds=30)
PATIENT = Limits(connect=LONG, read=LONG, total=LONG)
IMPATIENT = Limits(connect=SHORT, read=SHORT, total=LONG)
HURRIED = Limits(connect=LONG, read=LONG, total=SHORT)


def fetch(url: str, proxies: Proxies = DIRECT, limits: Limits = DOCUMENT) -> object:
    """Return the JSON document at `url`."""
    return read_json(get_document(Request(url=url), proxies, limits))


def failure(url: str, proxies: Proxies = DIRECT, limits: Limits = PATIENT) -> CheckError:
    """Return the error with which the request ends."""
    with pytest.raises(CheckError) as caught:
        fetch(url, proxies, limits)
    return caught.value


def failure_of(answer: Answer, limits: Limits = PATIENT) -> CheckError:
    """Return the error to which an answer leads."""
    with HttpServer(lambda _: answer) as server:
        return failure(server.url(), limits=limits)
