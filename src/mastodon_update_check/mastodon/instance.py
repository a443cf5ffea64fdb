"""The version that the running Mastodon server answers with, which after an upgrade may not be the tree's."""

from http import HTTPStatus
from urllib.parse import urlsplit

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import ascii_domain
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError
from mastodon_update_check.http.client import get_document, read_json
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import Request, StatusError

_API = "/api/v2/instance"
_OLDER_API = "/api/v1/instance"  # for Mastodon before 4.0
_NODEINFO = "/nodeinfo/2.0"  # public even with LIMITED_FEDERATION_MODE, where 4.0 to 4.3 require a login for the API
_HEADERS = {"Accept": "application/json", "X-Forwarded-Proto": "https"}  # without the latter Rails redirects to https


def ask_running_version(instance_url: str, web_domain: str, proxies: Proxies) -> MastodonVersion:
    """Return the version that the server at `instance_url`, perhaps an inner address, answers with.

    `web_domain` is sent as `Host`, since the server refuses others. Raises `CheckError` with cause `VERSION` when the
    answer names no version, else as `get_document` does.
    """
    host = ascii_domain(web_domain)

    def ask(path: str, *names: str) -> MastodonVersion:
        request = Request(url=instance_url.rstrip("/") + path, headers=_HEADERS, host=host, local_directly=True)
        found = read_json(get_document(request, proxies))
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return _read(found, instance_url)

    try:
        return ask(_API, "version")
    except StatusError as error:
        if error.status == HTTPStatus.UNAUTHORIZED:
            try:
                return ask(_NODEINFO, "software", "version")
            except CheckError as second:
                detail = f"{error} (LIMITED_FEDERATION_MODE requires a login for the API), and {_NODEINFO}: {second}"
                raise CheckError(second.cause, detail) from second
        if error.status != HTTPStatus.NOT_FOUND:
            raise
    return ask(_OLDER_API, "version")


def _read(version: object, instance_url: str) -> MastodonVersion:
    place = clean(urlsplit(instance_url).netloc.rpartition("@")[2])
    if not isinstance(version, str):
        raise CheckError(Cause.VERSION, f"{place} does not answer with a version: is it a Mastodon server?")
    try:
        return MastodonVersion.parse(version)
    except InvalidVersionError as error:
        raise CheckError(Cause.VERSION, f"{place} answers with a version that cannot be read: {error}") from error
