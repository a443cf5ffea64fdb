"""Webhook: a POST by the Standard Webhooks specification, 1.0.0.

The URL may be a secret, all but its scheme, host and port: errors show no more, and the rest is removed from what the
receiver answers.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mastodon_update_check.errors import CheckError, TransientDeliveryError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request
from mastodon_update_check.http.secrets import secrets_of, shown
from mastodon_update_check.messages.message import Message
from mastodon_update_check.sinks.standard_webhooks import headers, judge, read_key

if TYPE_CHECKING:
    from mastodon_update_check.http.request import Response


class WebhookSink:
    """Posts messages to one URL; its options are those that the settings have verified."""

    def __init__(self, options: Mapping[str, str], limits: Limits, clock: Callable[[], float]) -> None:
        self._url, self._proxies = options["url"], Proxies.of(options)
        secrets = options.get("secret", "").split()
        self._keys = tuple(map(read_key, secrets))
        self._secrets = secrets_of(self._url) | secrets_of(self._proxies.choose(self._url) or "") | set(secrets)
        self._with_names = options.get("names") == "true"
        self._limits = limits
        self._clock = clock

    def send(self, message: Message) -> str:
        """Post `message`; return status and body of the answer.

        Raises the error that `standard_webhooks.judge` gives; `TransientDeliveryError` also when it is unknown whether
        the receiver accepted it.
        """
        from mastodon_update_check.http import client  # loads httpx

        now, body = self._clock(), _body(message, names=self._with_names)
        named = {"Content-Type": "application/json", **headers(message.id, int(now), body, self._keys)}
        try:
            request = Request(method="POST", url=self._url, headers=named, body=body)
            response = client.send(request, self._proxies, self._limits)
        except CheckError as error:
            raise TransientDeliveryError(f"no answer: {error}", sink_wide=True) from error
        return self._settle(response, datetime.fromtimestamp(now, UTC))

    def _settle(self, response: "Response", now: datetime) -> str:
        text = f"{response.status} {response.reason} {response.body.decode(errors='replace')}"
        answer = shown(text, self._secrets, is_cut=len(response.body) == self._limits.body_bytes)
        redirects = " (redirects are not followed)" if "Location" in response.headers else ""
        sentence = f"{response.peer} answered {answer}{redirects}"
        error = judge(response.status, response.headers, sentence, now)
        if error is not None:
            raise error
        return answer


def create(options: Mapping[str, str], limits: Limits = EXCERPT, clock: Callable[[], float] = time.time) -> WebhookSink:
    """Return the sink for these options: `url`, `secret`, `names`, `https_proxy`, `http_proxy`, `no_proxy`."""
    return WebhookSink(options, limits, clock)


def _body(message: Message, *, names: bool) -> bytes:
    payload = dict(message.payload)
    data = payload.get("data")
    if names and isinstance(data, Mapping):
        payload["data"] = {**data, "devops_users": list(message.devops_users)}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
