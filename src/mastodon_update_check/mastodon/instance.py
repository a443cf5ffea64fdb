"""The version that the running Mastodon server says it is, which after an upgrade may not be the tree's."""

import httpx

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError
from mastodon_update_check.http.fetch import BOUNDS, Bounds, StatusError, fetch_json
from mastodon_update_check.http.net import Proxies

_PATHS = ("/api/v2/instance", "/api/v1/instance")  # the second for Mastodon before 4.0


def ask_running_version(
    instance_url: str, web_domain: str, proxies: Proxies, *, bounds: Bounds = BOUNDS
) -> MastodonVersion:
    """Return the version that the server at `instance_url` answers with.

    Args:
        instance_url: where the server is reached; an inner address such as `http://127.0.0.1:3000` will do.
        web_domain: the name under which the server knows itself, sent as `Host`; others it refuses.
        proxies: who is asked through whom.
        bounds: for tests.

    Raises:
        CheckError: cause `VERSION` when the answer names no version; else the cause of `fetch_json`.
    """
    host = _host(instance_url)
    document = _ask(instance_url.rstrip("/"), _host(f"https://{web_domain}"), proxies, bounds)
    version = document.get("version") if isinstance(document, dict) else None
    if not isinstance(version, str):
        raise CheckError(Cause.VERSION, f"{host} does not answer with a version: is it a Mastodon server?")
    try:
        return MastodonVersion.parse(version)
    except InvalidVersionError as error:
        raise CheckError(Cause.VERSION, f"{host} answers with a version that cannot be read: {error}") from error


def _ask(base: str, web_domain: str, proxies: Proxies, bounds: Bounds) -> object:
    newer, older = (base + path for path in _PATHS)
    headers = {"X-Forwarded-Proto": "https"}  # or Rails redirects to https
    try:
        return fetch_json(newer, proxies=proxies, host=web_domain, headers=headers, bounds=bounds)
    except StatusError as error:
        if error.status != httpx.codes.NOT_FOUND:
            raise
    return fetch_json(older, proxies=proxies, host=web_domain, headers=headers, bounds=bounds)


def _host(url: str) -> str:
    """Return the host and port of a URL as HTTP writes them, international names encoded."""
    try:
        return httpx.URL(url).netloc.decode()
    except (httpx.InvalidURL, ValueError) as error:
        raise CheckError(Cause.VERSION, f"{clean(url.rpartition('@')[2], 80)!r} is not a valid address") from error
