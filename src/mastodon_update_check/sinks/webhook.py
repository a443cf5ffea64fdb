"""Webhook: a POST by the Standard Webhooks specification, 1.0.0.

The URL may be a secret, all but its scheme, host and port: errors show no more, and the rest is removed from what the
receiver answers.
"""

import hmac
import json
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import CheckError, DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.request import EXCERPT, Limits, Request
from mastodon_update_check.http.secrets import secrets_of, shown
from mastodon_update_check.messages.message import Message

_LONGEST_WAIT = timedelta(hours=24)
_GONE = 410
_CURABLE = frozenset({401, 403, 404, 408, 425, 429})
_SECONDS = re.compile(r"[0-9]{1,9}")


class WebhookSink:
    """Posts messages to one URL; its options are `url`, `secret`, `names` and the proxies."""

    def __init__(
        self, options: Mapping[str, str], limits: Limits = EXCERPT, clock: Callable[[], float] = time.time
    ) -> None:
        self._url, self._proxies = options["url"], Proxies.of(options)
        secrets = options.get("secret", "").split()
        self._keys = tuple(b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets)
        self._secrets = secrets_of(self._url) | secrets_of(self._proxies.choose(self._url) or "") | set(secrets)
        self._with_names = options.get("names") == "true"
        self._limits = limits
        self._clock = clock

    def send(self, message: Message) -> str:
        """Post `message`; return status and body of the answer.

        Raises the error that `judge` gives; `TransientDeliveryError` also when it is unknown whether the receiver
        accepted it.
        """
        from mastodon_update_check.http import client  # loads httpx

        now, body = self._clock(), self._body(message)
        headers = {"Content-Type": "application/json", **self._signed(message.id, int(now), body)}
        try:
            request = Request(method="POST", url=self._url, headers=headers, body=body)
            response = client.send(request, self._proxies, self._limits)
        except CheckError as error:
            raise TransientDeliveryError(f"no answer: {error}", sink_wide=True) from error
        text = f"{response.status} {response.reason} {response.body.decode(errors='replace')}"
        answer = shown(text, self._secrets, is_cut=len(response.body) == self._limits.body_bytes)
        redirects = " (redirects are not followed)" if "Location" in response.headers else ""
        sentence = f"{response.peer} answered {answer}{redirects}"
        failure = judge(response.status, response.headers, sentence, datetime.fromtimestamp(now, UTC))
        if failure is not None:
            raise failure
        return answer

    def _body(self, message: Message) -> bytes:
        payload = dict(message.payload)
        data = payload.get("data")
        if self._with_names and isinstance(data, Mapping):
            payload["data"] = {**data, "devops_users": list(message.devops_users)}
        return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _signed(self, message_id: str, attempted_at: int, body: bytes) -> dict[str, str]:
        """Return the specification's headers for an attempt at this Unix time; unsigned without secrets."""
        headers = {"webhook-id": message_id, "webhook-timestamp": str(attempted_at)}
        signed = b".".join((message_id.encode(), str(attempted_at).encode(), body))
        signatures = [b64encode(hmac.digest(key, signed, "sha256")).decode() for key in self._keys]
        if signatures:
            headers["webhook-signature"] = " ".join(f"v1,{signature}" for signature in signatures)
        return headers


create = WebhookSink


def judge(status: int, headers: Mapping[str, str], sentence: str, now: datetime) -> DeliveryError | None:
    """Return the error that an answer with this status means; None for 2xx.

    410 stops the webhook; other 4xx are permanent unless they are known to pass or to be cured by the receiver's
    settings; everything else is transient and sink-wide.
    """
    if status // 100 == 2:  # noqa: PLR2004
        return None
    if status // 100 == 4 and status not in _CURABLE:  # noqa: PLR2004
        return PermanentDeliveryError(sentence, sink_wide=status == _GONE)
    wait = _retry_after(headers.get("retry-after", ""), now)
    return TransientDeliveryError(sentence, sink_wide=True, retry_after=wait)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3), as 0 to 24 h from `now`; None for nonsense."""
    from email.utils import parsedate_to_datetime

    if _SECONDS.fullmatch(text.strip()):
        wait = timedelta(seconds=int(text))
    else:
        try:
            then = parsedate_to_datetime(clean(text))
        except (ValueError, OverflowError):
            return None
        wait = (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta()), _LONGEST_WAIT)
