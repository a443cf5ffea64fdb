"""Webhook: a POST by the Standard Webhooks specification, 1.0.0.

The URL may be a secret, all but its scheme and host: that is what errors show, and what a server repeats of the rest is
taken out. `httpx` is imported at the first message: a process that only shows data does not carry it.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SettingsError, TransientDeliveryError
from mastodon_update_check.http.net import CONNECT_SECONDS, USER_AGENT, Deadline, Proxies, tls_context
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.failures import explain, shown
from mastodon_update_check.sinks.standard_webhooks import headers, judge, read_secrets

if TYPE_CHECKING:
    import httpx

ANSWER_BYTES = 1024
"""Most that is read of an answer's body."""
_TELLING = 16  # characters: a part of a URL as long as this may be a token, shorter ones are words


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a receiver may take."""

    connect: float = CONNECT_SECONDS
    """Seconds for the connection."""
    read: float = 15.0
    """Seconds without a byte of the answer."""
    total: timedelta = timedelta(seconds=30)
    """All of one attempt, name resolution aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to post, and how."""

    url: str = field(repr=False)
    """Without user and password."""
    place: str
    """Scheme and host, for sentences."""
    auth: tuple[str, str] | None = field(default=None, repr=False)
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)
    names: bool = False
    """Whether the payload gets the names of the server's DevOps users."""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """What no text may show."""


class WebhookSink:
    """Posts messages to one URL."""

    def __init__(self, target: Target, bounds: Bounds, clock: Callable[[], float] = time.time) -> None:
        self._target = target
        self._bounds = bounds
        self._clock = clock

    def send(self, message: Message) -> str:
        """Post `message`; return status and body of the answer.

        Raises:
            TransientDeliveryError: sink-wide; also when nobody can tell whether the receiver took it.
            PermanentDeliveryError: the receiver will not take this message, or (410, sink-wide) any other.
        """
        import httpx

        with Deadline(self._bounds.total) as deadline:
            try:
                return self._post(message, deadline)
            except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # UnicodeError: an impossible host name
                raise self._failed(error, deadline) from error

    def _post(self, message: Message, deadline: Deadline) -> str:
        import httpx

        target = self._target
        body = _body(message, names=target.names)
        now = self._clock()

        def trace(event: str, info: Mapping[str, Any]) -> None:
            deadline.trace(event, info)
            if event == "http11.send_request_headers.started":  # connected by now, which may have taken long
                message.confirm_claim()

        timeout = httpx.Timeout(self._bounds.read, connect=self._bounds.connect)
        with (
            httpx.Client(
                trust_env=False, timeout=timeout, verify=_tls(target.url), proxy=_proxy(target.proxy)
            ) as client,
            client.stream(
                "POST",
                target.url,
                content=body,
                headers={**_FIXED, **headers(message.id, int(now), body, target.keys)},
                auth=target.auth,
                extensions={"trace": trace},
            ) as response,
        ):
            return self._settle(response, datetime.fromtimestamp(now, UTC))

    def _settle(self, response: "httpx.Response", now: datetime) -> str:
        answer = shown(f"{response.status_code} {response.reason_phrase} {_read(response)}", self._target.secrets)
        sentence = f"{self._target.place} answered {answer}{_redirection(response)}"
        error = judge(response.status_code, response.headers, sentence, now)
        if error is not None:
            raise error
        return answer

    def _failed(self, error: Exception, deadline: Deadline) -> TransientDeliveryError:
        import httpx

        if deadline.expired:
            why = f"not done within {self._bounds.total.total_seconds():g} s in all"
        elif isinstance(error, httpx.ProxyError):
            why = f"the proxy refuses: {shown(str(error), self._target.secrets)}"
        else:
            why = shown(explain(error), self._target.secrets)
        return TransientDeliveryError(f"no answer from {self._target.place}: {why}", sink_wide=True)


_FIXED = {"Content-Type": "application/json", "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}


def create(
    options: Mapping[str, str], bounds: Bounds | None = None, clock: Callable[[], float] = time.time
) -> WebhookSink:
    """Return the sink for these options: `url`, `secret`, `names`, `https_proxy`, `http_proxy`, `no_proxy`.

    Raises:
        SettingsError: a URL, a secret or a proxy that cannot be used; none of them is shown.
    """
    parts = parse_url(options.get("url", ""))
    try:
        keys = read_secrets(options.get("secret", ""))
    except ValueError as error:
        raise SettingsError([f"the webhook's secret cannot be used: {error}"]) from error
    target = Target(
        url=parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl(),
        place=f"{parts.scheme}://{clean(parts.hostname or '')}",
        auth=(unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None,
        keys=keys,
        proxy=choose_proxy(options),
        names=options.get("names") == "true",
        secrets=_secrets(options),
    )
    return WebhookSink(target, bounds or Bounds(), clock)


def parse_url(url: str) -> SplitResult:
    """Take an http(s) URL apart. Raises `SettingsError`, which does not show it."""
    problem = SettingsError(["the webhook's URL is not an http or https URL"])
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise problem from None  # the error shows the URL
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise problem
    return parts


def choose_proxy(options: Mapping[str, str]) -> str | None:
    """Return the URL of the proxy to take; None: reach the receiver directly. Raises `SettingsError`."""
    proxies = Proxies(
        https=options.get("https_proxy") or None,
        http=options.get("http_proxy") or None,
        no_proxy=options.get("no_proxy", ""),
    )
    proxy = proxies.choose(options["url"])
    if proxy is None:
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"  # as curl reads it
    if urlsplit(proxy).scheme not in {"http", "https"}:
        raise SettingsError(["the proxy for the webhook is neither an http nor an https proxy"])
    return proxy


def _secrets(options: Mapping[str, str]) -> frozenset[str]:
    """Return what may be secret in the options, in the forms in which a server could repeat it."""
    parts = urlsplit(options["url"])
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    pieces = {piece for piece in re.split(r"[/?&=;]", path) if len(piece) >= _TELLING}
    hidden = {path, parts.path, parts.query, parts.password or "", *pieces, *options.get("secret", "").split()}
    hidden |= {unquote(text) for text in hidden}
    return frozenset(hidden - {"", "/"})


def _body(message: Message, *, names: bool) -> bytes:
    payload = dict(message.payload)
    data = payload.get("data")
    if names and isinstance(data, Mapping):
        payload["data"] = {**data, "devops_users": list(message.devops_users)}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _tls(url: str) -> ssl.SSLContext:
    """Return the system's trust for https; for http a context that trusts nobody, instead of building httpx's own."""
    return tls_context() if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy(url: str | None) -> "httpx.Proxy | None":
    import httpx

    return None if url is None else httpx.Proxy(url, ssl_context=_tls(url) if url.startswith("https:") else None)


def _read(response: "httpx.Response") -> str:
    """Return the beginning of the answer's body; nothing of one that breaks off, or is encoded without being asked."""
    import httpx

    if "content-encoding" in response.headers:
        return ""
    body = b""
    try:
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= ANSWER_BYTES:
                break
    except httpx.HTTPError:  # the status has been read, and that alone decides
        return ""
    return body[:ANSWER_BYTES].decode(errors="replace")


def _redirection(response: "httpx.Response") -> str:
    """Return where an answer leads that is not followed; its path may be a secret too."""
    if not response.has_redirect_location:
        return ""
    host = response.next_request.url.host if response.next_request else ""
    return f" (redirections are not followed; this one leads to {clean(host)})"
