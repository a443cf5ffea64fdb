"""The one HTTP client: one request and its answer, bounded in bytes and as a whole in time.

Feed, instance, release details, webhooks and heartbeats all use it, each with limits of its own. Its rules:

- no content encoding is requested or accepted, so that a megabyte stays a megabyte;
- redirects are followed as often as the limits allow, never from https to http, and to another host without the
  user, the password and the headers of the first;
- only the given proxies are used, and certificate authorities are read for each conversation;
- an error names the host, and the proxy before it, but no user, password, path or query.

`httpx` is imported with this module: import it where it is used.
"""

import base64
import contextlib
import json
import socket
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import urlsplit

import httpx

from mastodon_update_check import __version__
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import parse_proxy, parse_url
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.network_errors import explain
from mastodon_update_check.http.proxies import Proxies, is_local
from mastodon_update_check.http.request import DOCUMENT, EXCERPT, Limits, Request, Response, StatusError
from mastodon_update_check.http.time_limit import SocketGuard, TimeLimitError, run_within

USER_AGENT = f"mastodon-update-check/{__version__}"
"""Names neither the server nor its domain."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NOT_HTTP = "the URL to ask is not an http or https URL"
_NO_PROXY = "the proxy to use is not an http or https URL"


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
        raise StatusError(response.status, f"{response.peer} answers with status {response.status}")
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


def reach(url: str, proxies: Proxies, limits: Limits = EXCERPT) -> str:
    """Connect to the host of `url`, or to the proxy before it, by TCP and TLS, and ask nothing; return a sentence.

    Raises `CheckError` as `send` does.
    """
    proxy = proxies.choose(str(_parse(parse_url, url, _NOT_HTTP)))
    parts = urlsplit(str(_parse(parse_proxy, proxy, _NO_PROXY)) if proxy else url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)

    def connect(guard: SocketGuard) -> None:
        with socket.create_connection((host, port), limits.connect.total_seconds()) as sock:
            guard.guard(sock)
            if is_tls:
                ssl.create_default_context().wrap_socket(sock, server_hostname=host).close()

    try:
        run_within(limits.total, connect)
    except (OSError, ValueError, TimeLimitError) as error:  # ValueError, UnicodeError: a name that cannot be asked for
        raise explain(error, f"{'the proxy ' if proxy else ''}{host}:{port}") from error
    if proxy:
        return f"the proxy {parts.scheme}://{host} is reached; the host behind it was not asked"
    return f"{parts.scheme}://{host} is reached" + (", and its certificate is good" if is_tls else "")


class Exchange:
    """One request and its answer; `CheckError` if the URL is not an http or https URL."""

    def __init__(self, request: Request, proxies: Proxies, limits: Limits) -> None:
        self._request = request
        self._proxies = proxies
        self._limits = limits
        self._first = _parse(parse_url, request.url, _NOT_HTTP)
        self.peer = _netloc(self._first)
        """The host that is asked at the moment, and the proxy before it, as a sentence names them."""

    def run(self, guard: SocketGuard) -> Response:
        """Return the answer after the redirects that are followed; raises as `http.client.send` does."""
        url = self._first
        for _ in range(self._limits.redirects):
            response = self._ask(url, guard)
            if response.status not in _REDIRECTS:
                return response
            url = self._redirect(url, response)
        response = self._ask(url, guard)
        if self._limits.redirects and response.status in _REDIRECTS:
            self._refuse(response, f"redirects once more after {self._limits.redirects} redirects")
        return response

    def _ask(self, url: httpx.URL, guard: SocketGuard) -> Response:
        chosen = self._proxies.choose(str(url))
        if chosen is not None and self._request.local_directly and is_local(url.host):
            chosen = None
        proxy = None if chosen is None else _parse(parse_proxy, chosen, _NO_PROXY)
        connect, read = self._limits.connect.total_seconds(), self._limits.read.total_seconds()
        timeouts = {"connect": connect, "read": read, "write": read, "pool": connect}
        self.peer = f"{_netloc(url)} (through the proxy {_netloc(proxy)})" if proxy else _netloc(url)
        try:
            request = httpx.Request(
                self._request.method,
                url.copy_with(userinfo=b""),
                headers=self._headers(url),
                content=self._request.body,
                extensions={"timeout": timeouts, "trace": guard.trace},
            )
            # The transport, not a client: clients log each URL with its query, and read `.netrc`.
            with _transport(url, proxy) as transport, contextlib.closing(transport.handle_request(request)) as answer:
                return self._read(answer, guard)
        except (httpx.HTTPError, UnicodeError) as error:
            raise self._explain(error) from error

    def _headers(self, url: httpx.URL) -> Mapping[str, str]:
        always = {"Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if url.netloc != self._first.netloc:
            return {"Accept": "*/*", **always}
        own = {"Accept": "*/*", **self._request.headers}
        if self._request.host:
            own["Host"] = self._request.host
        if self._first.userinfo:
            login = f"{self._first.username}:{self._first.password}"
            own["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        return own | always

    def _read(self, answer: httpx.Response, guard: SocketGuard) -> Response:
        limit = self._limits.body_bytes
        encoding = answer.headers.get("Content-Encoding", "").strip()
        body, fault = bytearray(), None
        if encoding.lower() not in {"", "identity"}:
            fault = self._content_fault(f"is encoded ({clean(encoding, 40)}), which was not asked for")
        else:
            try:
                for chunk in answer.iter_raw():
                    body += chunk
                    if len(body) > limit:
                        fault = self._content_fault(f"is longer than {limit:,} bytes")
                        break
            except httpx.HTTPError as error:
                fault = self._explain(error)
        if guard.expired:  # an answer without a length ends where the connection was shut down
            seconds = self._limits.total.total_seconds()
            fault = CheckError(Cause.CONNECTION, f"{self.peer} took longer than {seconds:g} s in all")
        return Response(
            peer=self.peer,
            status=answer.status_code,
            reason=answer.reason_phrase,
            headers=answer.headers,
            body=bytes(body[:limit]),
            fault=fault,
        )

    def _content_fault(self, fault: str) -> CheckError:
        return CheckError(Cause.CONTENT, f"the answer of {self.peer} {fault}")

    def _redirect(self, url: httpx.URL, response: Response) -> httpx.URL:
        try:
            target = url.join(response.headers.get("Location") or "about:blank")
            parse_url(str(target))
        except (httpx.InvalidURL, ValueError):
            self._refuse(response, "redirects to what is not an http or https URL")
        if (url.scheme, target.scheme) == ("https", "http"):
            self._refuse(response, "redirects from https to http, which is not followed")
        if target.host != url.host and is_local(target.host) and not is_local(url.host):
            self._refuse(response, "redirects to an address of this machine or network, which is not followed")
        return target

    def _refuse(self, response: Response, fault: str) -> NoReturn:
        raise StatusError(response.status, f"{self.peer} {fault}")

    def _explain(self, error: Exception) -> CheckError:
        match error:
            case httpx.ConnectTimeout():
                fault = f"did not take the connection within {self._limits.connect.total_seconds():g} s"
            case httpx.TimeoutException():
                fault = f"was silent for {self._limits.read.total_seconds():g} s"
            case httpx.ProxyError():  # the words after the status may be anything
                fault = f"cannot be reached: the proxy answers with status {str(error)[:3]}"
            case httpx.ConnectError():
                fault = ""
            case _:
                fault = "ended the connection before a complete answer in HTTP"
        return explain(error, self.peer, fault)


def _transport(url: httpx.URL, proxy: httpx.URL | None) -> httpx.HTTPTransport:
    # A plain hop needs no certificates: a context without authorities costs nothing and allows nothing.
    trust = ssl.create_default_context() if url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hop = None
    if proxy is not None:
        hop = httpx.Proxy(proxy, ssl_context=ssl.create_default_context() if proxy.scheme == "https" else None)
    return httpx.HTTPTransport(verify=trust, proxy=hop, trust_env=False)


def _parse(validate: Callable[[str], str], text: str, fault: str) -> httpx.URL:
    try:
        return httpx.URL(validate(text))
    except (ValueError, httpx.InvalidURL):  # which shows it
        raise CheckError(Cause.CONNECTION, fault) from None


def _netloc(url: httpx.URL) -> str:
    return url.netloc.decode()
