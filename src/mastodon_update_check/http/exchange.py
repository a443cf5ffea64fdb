"""One request, its redirects, and its answer; the rules are those of `http.client`."""

import base64
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, unquote, urljoin, urlsplit

from mastodon_update_check import __version__
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.urls import origin_of, parse_proxy, parse_url
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.connection import Answer, AnswerError, connect, encrypt, write_request
from mastodon_update_check.http.network_errors import explain_name_or_tls, system_words
from mastodon_update_check.http.proxies import Proxies, is_local
from mastodon_update_check.http.request import Limits, Request, Response, StatusError
from mastodon_update_check.http.time_limit import SocketGuard

USER_AGENT = f"mastodon-update-check/{__version__}"
"""Names neither the server nor its domain."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PROXY_LOGIN = 407
_IN_TARGETS = "/%:@!$&'()*+,;=~?[]"
"""Characters that stand for themselves in a request's target."""


@dataclass(slots=True, kw_only=True)
class Peer:
    """The host that is asked at the moment, and the proxy; `str` names the one whose failure it is."""

    host: str
    proxy: str = ""
    is_connected: bool = False
    is_tunnelled: bool = False
    """Whether the proxy has connected us: a failure from here on is the host's."""
    has_answered: bool = False
    """Whether the head of the answer has been read."""

    def __str__(self) -> str:
        return f"the proxy {self.proxy}" if self.proxy and not self.is_tunnelled else self.host

    @property
    def described(self) -> str:
        """The host, and the proxy if that one can change what the host says."""
        return f"{self.host} (through {self})" if self.proxy and not self.is_tunnelled else self.host


class TunnelError(Exception):
    """The proxy does not connect us; the text is its status."""


class Exchange:
    """One request and its answer.

    Raises:
        CheckError: with cause `CONNECTION`; the URL is not an http or https URL.
    """

    def __init__(self, request: Request, proxies: Proxies, limits: Limits) -> None:
        self._request = request
        self._proxies = proxies
        self._limits = limits
        self._first = _parse(parse_url, request.url, "the URL to ask is not an http or https URL")
        self._peer = Peer(host=origin_of(self._first).netloc)

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

    @property
    def peer(self) -> str:
        """The host, or the proxy, whose failure it is if this fails now."""
        return str(self._peer)

    def _ask(self, url: str, guard: SocketGuard) -> Response:
        proxy = self._choose_proxy(url)
        self._peer = Peer(host=origin_of(url).netloc, proxy=origin_of(proxy).netloc if proxy else "")
        try:
            with ExitStack() as opened:
                sock = self._connect(url, proxy, guard, opened)
                sock.settimeout(self._limits.read.total_seconds())
                target, headers = _target(url), self._headers(url)
                if proxy and not self._peer.is_tunnelled:
                    target = f"http://{self._peer.host}{target}"
                    headers |= _login("Proxy-Authorization", proxy)
                write_request(sock, f"{self._request.method} {target}", headers, self._request.body or b"")
                answer = Answer(opened.enter_context(sock.makefile("rb")))
                self._peer.has_answered = True
                return self._read(answer, guard)
        except (OSError, ValueError, AnswerError, TunnelError) as error:
            raise self._explain(error) from error

    def _connect(self, url: str, proxy: str, guard: SocketGuard, opened: ExitStack) -> socket.socket:
        """Return a connection over which the host of `url` can be asked: to the host, to the proxy, or through it."""
        host, hop = origin_of(url), origin_of(proxy or url)
        sock = opened.enter_context(connect(hop.host, hop.port, self._limits.connect.total_seconds(), guard))
        if hop.is_encrypted:
            sock = opened.enter_context(encrypt(sock, hop.host))
        self._peer.is_connected = True
        if proxy and host.is_encrypted:
            sock.settimeout(self._limits.read.total_seconds())
            write_request(sock, f"CONNECT {host.place}", {"Host": host.place, **_login("Proxy-Authorization", proxy)})
            answer = Answer(opened.enter_context(sock.makefile("rb")))
            if not answer.is_success:
                raise TunnelError(answer.status)
            self._peer.is_tunnelled = True
            sock = opened.enter_context(encrypt(sock, host.host))
        return sock

    def _choose_proxy(self, url: str) -> str:
        host = origin_of(url)
        proxy = self._proxies.choose(url)
        if proxy is None or (self._request.local_directly and is_local(host.host)):
            return ""
        proxy = _parse(parse_proxy, proxy, "the proxy to use is not an http or https URL")
        if host.is_encrypted and origin_of(proxy).is_encrypted:
            raise CheckError(Cause.CONNECTION, "the proxy to use for an https URL is not an http URL")
        return proxy

    def _headers(self, url: str) -> dict[str, str]:
        request, host = self._request, origin_of(url).netloc
        headers = {"Host": host, "Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if host == origin_of(self._first).netloc:
            headers |= {"Host": request.host or host, **request.headers, **_login("Authorization", self._first)}
        if request.body is not None:
            headers["Content-Length"] = str(len(request.body))
        return headers

    def _read(self, answer: Answer, guard: SocketGuard) -> Response:
        limit = self._limits.body_bytes if answer.is_success else self._limits.error_body_bytes
        encoding = answer.headers.get("content-encoding", "")
        body, fault = b"", None
        if encoding.lower() not in {"", "identity"}:
            fault = self._content_fault(f"is encoded ({clean(encoding, 40)}), which was not asked for")
        elif limit:
            try:
                body = answer.read_body(limit + 1)
            except (OSError, AnswerError) as error:
                fault = self._explain(error)
            if len(body) > limit:
                fault = self._content_fault(f"is longer than {limit:,} bytes")
        if guard.expired:  # an answer without a length ends where the connection was shut down
            seconds = self._limits.total.total_seconds()
            fault = CheckError(Cause.CONNECTION, f"{self._peer} took longer than {seconds:g} s in all")
        return Response(
            peer=str(self._peer) if answer.status == _PROXY_LOGIN else self._peer.described,
            status=answer.status,
            reason=answer.reason,
            headers=answer.headers,
            body=body[:limit],
            fault=fault,
        )

    def _content_fault(self, fault: str) -> CheckError:
        return CheckError(Cause.CONTENT, f"the answer of {self._peer.host} {fault}")

    def _redirect(self, url: str, response: Response) -> str:
        try:
            target = parse_url(urljoin(url, response.headers.get("location") or "about:blank"))
        except ValueError:
            self._refuse(response, "redirects to what is not an http or https URL")
        if origin_of(url).is_encrypted and not origin_of(target).is_encrypted:
            self._refuse(response, "redirects from https to http, which is not followed")
        return target

    def _refuse(self, response: Response, fault: str) -> NoReturn:
        raise StatusError(response.status, f"{self._peer.host} {fault}", response.headers)

    def _explain(self, error: Exception) -> CheckError:
        """Return what an error of the connection means."""
        known = explain_name_or_tls(error, str(self._peer))
        return known or CheckError(Cause.CONNECTION, f"{self._peer} {self._connection_fault(error)}")

    def _connection_fault(self, error: Exception) -> str:
        limits, peer = self._limits, self._peer
        match error:
            case TunnelError():
                return f"does not connect us to {peer.host} (status {error})"
            case TimeoutError() if not peer.is_connected:
                return f"did not take the connection within {limits.connect.total_seconds():g} s"
            case TimeoutError():
                return f"was silent for {limits.read.total_seconds():g} s"
            case OSError() if not peer.is_connected:
                return f"cannot be reached: {system_words(error)}"
            case _ if peer.has_answered:
                return "ended the connection in the middle of its answer"
            case OSError():
                return f"ended the connection before it answered: {system_words(error)}"
            case _:
                return "ended the connection before it answered, or does not speak HTTP"


def _parse(validate: Callable[[str], str], text: str, fault: str) -> str:
    try:
        return validate(text)
    except ValueError:  # which shows it
        raise CheckError(Cause.CONNECTION, fault) from None


def _target(url: str) -> str:
    parts = urlsplit(url)
    query = f"?{quote(parts.query, _IN_TARGETS)}" if parts.query else ""
    return (quote(parts.path, _IN_TARGETS.replace("?", "")) or "/") + query


def _login(header: str, url: str) -> dict[str, str]:
    """Return the header that carries the user and the password of `url`; none if it has none."""
    parts = urlsplit(url)
    login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return {} if login == ":" else {header: "Basic " + base64.b64encode(login.encode()).decode()}
