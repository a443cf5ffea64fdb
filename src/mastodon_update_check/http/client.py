"""The one HTTP client: one request and its answer, bounded in bytes and as a whole in time.

Feed, instance, release details, webhooks and heartbeats all use it, each with limits of its own. Its rules:

- no content encoding is requested or accepted, so that a megabyte stays a megabyte;
- redirects are followed as often as the limits allow, never from https to http, and to another host without the
  user, the password and the headers of the first;
- only the given proxies are used, and certificate authorities are read for each conversation;
- an error names the host, and the proxy before it, but no user, password, path or query.

`httpx` is imported with this module: import it where it is used.
"""

import json
from http import HTTPStatus

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.exchange import Exchange
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import DOCUMENT, Limits, Request, Response, StatusError
from mastodon_update_check.http.time_limit import TimeLimitError, run_within


def send(request: Request, proxies: Proxies, limits: Limits) -> Response:
    """Return the answer to `request`, whichever its status is.

    Raises `CheckError` with cause `DNS`, `CONNECTION` or `TLS`, and `StatusError` for a redirect that is not allowed.
    """
    exchange = Exchange(request, proxies, limits)
    try:
        return run_within(limits.total, exchange.run)
    except (TimeLimitError, OSError) as error:  # OSError: there is no thread or no descriptor left
        raise explain(error, exchange.peer) from error


def get_document(request: Request, proxies: Proxies, limits: Limits = DOCUMENT) -> Response:
    """Return the answer to `request` if its status is 200 and its body complete.

    Raises `StatusError` for another status, and `CheckError` as `send` does or with cause `CONTENT`.
    """
    response = send(request, proxies, limits)
    if response.status != HTTPStatus.OK:
        raise StatusError(response.status, f"{response.peer} answers with status {response.status}", response.headers)
    if response.fault is not None:
        raise response.fault
    return response


def read_json(response: Response) -> object:
    """Return the JSON document in `response`; raise `CheckError` with cause `CONTENT` if there is none."""
    text = response.body.decode("utf-8-sig", errors="backslashreplace")
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
        detail = f"the answer of {response.peer} is not usable JSON: it begins with {clean(text, 40)!r}"
        raise CheckError(Cause.CONTENT, detail) from error
    return document
