"""The version that the running Mastodon server answers with, which after an upgrade may not be the tree's."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import ascii_domain
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError
from mastodon_update_check.http.client import get_document, read_json
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Limits, Request, StatusError

_API = "/api/v2/instance"
_OLDER_API = "/api/v1/instance"
"""For Mastodon before 4.0."""
_NODEINFO = "/nodeinfo/2.0"
"""Public even with LIMITED_FEDERATION_MODE, where Mastodon 4.0 to 4.3 requires a login for its API."""
_HEADERS = {"Accept": "application/json", "X-Forwarded-Proto": "https"}  # without the latter Rails redirects to https


def ask_running_version(
    instance_url: str, web_domain: str, proxies: Proxies, limits: Limits = DOCUMENT
) -> MastodonVersion:
    """Return the version that the server at `instance_url`, perhaps an inner address, answers with.

    `web_domain` is sent as `Host`, since the server refuses others. Raises `CheckError` with cause `VERSION` when the
    answer names no version, else as `get_document` does.
    """
    host = ascii_domain(web_domain)

    def ask(path: str) -> object:
        request = Request(url=instance_url.rstrip("/") + path, headers=_HEADERS, host=host, local_directly=True)
        return read_json(get_document(request, proxies, limits))

    try:
        return _read(_member(ask(_API), "version"), instance_url)
    except StatusError as error:
        if error.status == HTTPStatus.UNAUTHORIZED:
            return _ask_nodeinfo(ask, instance_url, error)
        if error.status != HTTPStatus.NOT_FOUND:
            raise
    return _read(_member(ask(_OLDER_API), "version"), instance_url)


def _ask_nodeinfo(ask: Callable[[str], object], instance_url: str, refusal: StatusError) -> MastodonVersion:
    try:
        return _read(_member(_member(ask(_NODEINFO), "software"), "version"), instance_url)
    except CheckError as error:
        detail = f"{refusal} (LIMITED_FEDERATION_MODE requires a login for the API), and {_NODEINFO}: {error}"
        raise CheckError(error.cause, detail) from error


def _read(version: object, instance_url: str) -> MastodonVersion:
    place = clean(urlsplit(instance_url).netloc.rpartition("@")[2])
    if not isinstance(version, str):
        raise CheckError(Cause.VERSION, f"{place} does not answer with a version: is it a Mastodon server?")
    try:
        return MastodonVersion.parse(version)
    except InvalidVersionError as error:
        raise CheckError(Cause.VERSION, f"{place} answers with a version that cannot be read: {error}") from error


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None
