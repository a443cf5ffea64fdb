"""The update server: which releases are newer than the installed one."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.client import get_document, read_json
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Limits, Request

JSON = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAnswer:
    """What the update server answered."""

    document: dict[str, object]
    """A JSON object, not looked into any further."""
    headers: Mapping[str, str]


def ask_update_server(url: str, version: MastodonVersion, proxies: Proxies, limits: Limits = DOCUMENT) -> FeedAnswer:
    """Return the update server's answer for a server that runs `version`.

    Raises:
        CheckError: see `get_document`; with cause `CONTENT` also when the answer is not a JSON object.
    """
    response = get_document(Request(url=with_version(url, version), headers=JSON), proxies, limits)
    document = read_json(response)
    if not isinstance(document, dict):
        raise CheckError(Cause.CONTENT, f"the update server's answer is {_kind(document)}, not an object")
    return FeedAnswer(document=document, headers=response.headers)


def with_version(url: str, version: MastodonVersion) -> str:
    """Return the URL with `version` added to its query; a version may hold blanks and `~`."""
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
