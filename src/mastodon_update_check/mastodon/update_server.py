"""The update server: which releases are newer than the installed one."""

from urllib.parse import quote

from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.fetch import BOUNDS, Bounds, Listener, fetch_json
from mastodon_update_check.http.net import Proxies


def ask_update_server(
    url: str,
    version: MastodonVersion,
    proxies: Proxies,
    *,
    listen: Listener | None = None,
    bounds: Bounds = BOUNDS,
) -> dict[str, object]:
    """Return the update server's answer for a server that runs `version`: a JSON object, not looked into any further.

    `listen` hears the headers of each answer.

    Raises:
        CheckError: see `fetch_json`; with cause `CONTENT` also when the answer is no object.
    """
    document = fetch_json(with_version(url, version), proxies=proxies, listen=listen, bounds=bounds)
    if not isinstance(document, dict):
        raise CheckError(Cause.CONTENT, f"the update server's answer is {_kind(document)}, not an object")
    return document


def with_version(url: str, version: MastodonVersion) -> str:
    """Return the URL with `version` added to the query that it may have; a version may hold blanks and `~`."""
    base = url.partition("#")[0]
    separator = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{separator}version={quote(version.asked, safe='')}"


def _kind(document: object) -> str:
    match document:
        case list():
            return "a list"
        case str():
            return "a text"
        case None:
            return "null"
        case bool():
            return "true or false"
        case _:
            return "a number"
