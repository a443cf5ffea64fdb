"""The update server: which releases are newer than the installed one."""

from collections.abc import Mapping
from urllib.parse import quote

from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.http.client import get_document, read_json
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import Request


def ask_update_server(url: str, version: MastodonVersion, proxies: Proxies) -> tuple[object, Mapping[str, str]]:
    """Return document and headers of the answer for a server that runs `version`; raises as `get_document` does."""
    request = Request(url=with_version(url, version), headers={"Accept": "application/json"})
    response = get_document(request, proxies)
    return read_json(response), response.headers


def with_version(url: str, version: MastodonVersion) -> str:
    """Return the URL with `version` added to its query; a version may hold spaces and `~`."""
    base = url.partition("#")[0]
    separator = "" if base.endswith(("?", "&")) else "&" if "?" in base else "?"
    return f"{base}{separator}version={quote(version.asked, safe='')}"
