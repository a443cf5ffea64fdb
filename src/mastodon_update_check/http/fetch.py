"""One GET of a JSON document over HTTP, bounded in time, size and redirects (DESIGN.md, section 8).

The rules: status 200 only; no content encoding is asked for or taken, so that a megabyte stays a megabyte; a body is
refused by its announced length, else cut while it is read; at most three redirects, never from https to http; the
environment's proxies only as far as they are passed. Whatever goes wrong is a `CheckError` that names the host, and the
proxy where it is the proxy's failure, and no user, password or query.
"""

import base64
import contextlib
import json
import math
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NoReturn

import httpx

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.net import CONNECT_SECONDS, READ_SECONDS, USER_AGENT, Deadline, Proxies, tls_context
from mastodon_update_check.http.network_errors import Peer, explain

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PROXY_LOGIN = 407
_LAST_PORT = 65_535
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

Listener = Callable[[Mapping[str, str]], object]
"""Hears the headers of an answer, by names in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long and how much one conversation may take."""

    connect: timedelta = timedelta(seconds=CONNECT_SECONDS)
    """For each address of a host, and for the TLS handshake."""
    read: timedelta = timedelta(seconds=READ_SECONDS)
    """For each piece of the answer."""
    total: timedelta = timedelta(seconds=30)
    """For everything, redirects included; name resolution and unanswered connects end by limits of their own."""
    body_bytes: int = 1024 * 1024
    redirects: int = 3

    @property
    def timeouts(self) -> dict[str, float]:
        """The bounds of single steps as httpx takes them, in seconds."""
        connect, read = self.connect.total_seconds(), self.read.total_seconds()
        return {"connect": connect, "read": read, "write": read, "pool": connect}


BOUNDS = Bounds()


class StatusError(CheckError):
    """The answer had another status than 200, or a redirect that is not followed."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(Cause.HTTP_STATUS, detail)
        self.status = status


def fetch_json(
    url: str,
    *,
    proxies: Proxies,
    host: str | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
    listen: Listener | None = None,
    bounds: Bounds = BOUNDS,
) -> object:
    """Return the JSON document at `url`.

    Args:
        url: http or https; a user and password in it are sent as basic authentication.
        proxies: who is asked through whom.
        host: the `Host` header if it is not to be the URL's host; TLS goes by the URL's host all the same.
        headers: further headers; like `host` and the password, they do not follow a redirect to another host.
        listen: hears the headers of each answer, whatever comes of it.
        bounds: for tests.

    Raises:
        StatusError: any status but 200; a redirect too many, to nowhere, to another scheme or from https to http.
        CheckError: with cause `DNS`, `CONNECTION`, `TLS` or `CONTENT`.
    """
    try:
        current = first = _parse(url)
    except ValueError as error:
        raise CheckError(Cause.CONNECTION, "the URL to ask is not an http or https URL") from error
    own = {**headers, **({"Host": host} if host else {}), **_authorization(first)}
    with Deadline(bounds.total) as deadline:
        for _ in range(bounds.redirects + 1):
            conversation = _Conversation(current, proxies.choose(str(current)), deadline, bounds, listen)
            answer = conversation.get(own if current.host == first.host else _NO_HEADERS)
            if isinstance(answer, bytes):
                return _read_json(answer, conversation.host)
            current = answer
    raise StatusError(302, f"{conversation.host} redirects once more after {bounds.redirects} redirects")


def _parse(url: str | httpx.URL, base: httpx.URL | None = None) -> httpx.URL:
    """Return `url`, seen from `base`, if http can ask it.

    Raises:
        ValueError: it is no URL, names no host, or has another scheme or an impossible port.
    """
    try:
        parsed = base.join(url) if base else httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError from error
    if parsed.scheme not in {"http", "https"} or not parsed.host or (parsed.port or 0) > _LAST_PORT:
        raise ValueError
    return parsed


def _authorization(url: httpx.URL) -> dict[str, str]:
    if not url.userinfo:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{url.username}:{url.password}".encode()).decode()}


class _Conversation:
    """One request to one host, and its answer."""

    def __init__(
        self, url: httpx.URL, proxy: str | None, deadline: Deadline, bounds: Bounds, listen: Listener | None
    ) -> None:
        self.url = url
        self.host = url.netloc.decode()
        self.bounds = bounds
        self.deadline = deadline
        self.listen = listen
        self.proxy = _parse_proxy(proxy) if proxy else None
        self.peer = Peer(host=self.host, proxy=self.proxy.url.netloc.decode() if self.proxy else None)

    def get(self, headers: Mapping[str, str]) -> bytes | httpx.URL:
        """Return the body, or the URL that the answer redirects to."""
        fixed = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        extensions = {"timeout": self.bounds.timeouts, "trace": self._trace}
        try:
            request = httpx.Request("GET", self.url, headers={**headers, **fixed}, extensions=extensions)
            # The transport, not a client: clients log each URL with its query, and read `.netrc`.
            with self._transport() as transport, contextlib.closing(transport.handle_request(request)) as response:
                self.peer.has_answered = True
                if self.listen is not None:
                    self.listen(response.headers)
                return self._take(response)
        except (httpx.HTTPError, UnicodeError) as error:
            self._check_time()
            raise explain(error, self.peer, self.bounds.timeouts) from error

    def _transport(self) -> httpx.HTTPTransport:
        # A plain hop needs no certificates: a context that trusts nobody costs nothing and allows nothing.
        verify = tls_context() if self.url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.HTTPTransport(verify=verify, proxy=self.proxy, trust_env=False)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        self.deadline.trace(event, info)
        if event == "proxy.start_tls.started":  # the proxy has done its part: from here on it is the host that answers
            self.peer.is_tunnelled = True

    def _take(self, response: httpx.Response) -> bytes | httpx.URL:
        status = response.status_code
        if status in _REDIRECTS:
            return self._redirect(status, response.headers.get("Location", ""))
        if status == _PROXY_LOGIN and self.proxy:
            raise StatusError(status, f"{self.peer} wants a user name and a password (status {status})")
        if status != httpx.codes.OK:
            raise StatusError(status, f"{self.peer.described} answers with status {status}")
        encoding = response.headers.get("Content-Encoding", "").strip()
        if encoding.lower() not in {"", "identity"}:
            self._refuse(f"is encoded ({clean(encoding, 40)}), which was not asked for")
        if int(response.headers.get("Content-Length", "0")) > self.bounds.body_bytes:
            self._refuse_length()
        return self._read(response)

    def _read(self, response: httpx.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > self.bounds.body_bytes:
                self._refuse_length()
        self._check_time()  # an answer without a length ends where the deadline cut it
        return bytes(body)

    def _redirect(self, status: int, location: str) -> httpx.URL:
        try:
            target = _parse(location or "about:blank", self.url)
        except ValueError as error:
            raise StatusError(status, f"{self.host} redirects to what is not an http or https URL") from error
        if (self.url.scheme, target.scheme) == ("https", "http"):
            raise StatusError(status, f"{self.host} redirects from https to http, which is not followed")
        return target

    def _check_time(self) -> None:
        if self.deadline.expired:
            seconds = self.bounds.total.total_seconds()
            raise CheckError(Cause.CONNECTION, f"{self.peer} took longer than {seconds:g} s in all")

    def _refuse_length(self) -> NoReturn:
        self._refuse(f"is longer than {self.bounds.body_bytes:,} bytes")

    def _refuse(self, fault: str) -> NoReturn:
        raise CheckError(Cause.CONTENT, f"the answer of {self.host} {fault}")


def _parse_proxy(text: str) -> httpx.Proxy:
    try:
        url = _parse(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise CheckError(Cause.CONNECTION, "the proxy to use is not an http or https URL") from error
    return httpx.Proxy(url, ssl_context=tls_context() if url.scheme == "https" else None)


def _read_json(body: bytes, host: str) -> object:
    fault = f"the answer of {host} is not valid JSON"
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CheckError(Cause.CONTENT, f"{fault}: it is not UTF-8") from error
    try:
        document: object = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError as error:
        raise CheckError(Cause.CONTENT, f"{fault} that can be used: it is nested too deeply") from error
    except ValueError as error:  # JSONDecodeError is one, and so is a number of thousands of digits
        raise CheckError(Cause.CONTENT, f"{fault}: it begins with {clean(text, 40)!r}") from error
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("the number is out of range")
    return value
