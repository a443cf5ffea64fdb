"""Standard Webhooks 1.0.0: how a request is signed, and what the answer to it means."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError

PREFIX = "whsec_"
LONGEST_WAIT = timedelta(hours=24)

_GONE = 410
_CURABLE = frozenset({401, 403, 404, 408, 425, 429})
_SECONDS = re.compile(r"[0-9]{1,9}")


def read_key(secret: str) -> bytes:
    """Return the key that a secret stands for."""
    return b64decode(secret.removeprefix(PREFIX), validate=True)


def headers(message_id: str, attempted_at: int, body: bytes, keys: tuple[bytes, ...]) -> dict[str, str]:
    """Return the specification's headers for an attempt at this Unix time; unsigned without `keys`."""
    named = {"webhook-id": message_id, "webhook-timestamp": str(attempted_at)}
    if not keys:
        return named
    signed = b".".join((message_id.encode(), str(attempted_at).encode(), body))
    signatures = (b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return named | {"webhook-signature": " ".join(f"v1,{signature}" for signature in signatures)}


def judge(status: int, given: Mapping[str, str], sentence: str, now: datetime) -> DeliveryError | None:
    """Return the error that an answer with this status means; None for 2xx.

    410 stops the webhook; other 4xx are permanent unless they are known to pass or to be cured by the receiver's
    settings; everything else is transient and sink-wide.
    """
    if status // 100 == 2:  # noqa: PLR2004
        return None
    if status == _GONE:
        return PermanentDeliveryError(sentence, sink_wide=True)
    if status // 100 == 4 and status not in _CURABLE:  # noqa: PLR2004
        return PermanentDeliveryError(sentence)
    wait = retry_after(given.get("retry-after", ""), now)
    return TransientDeliveryError(sentence, sink_wide=True, retry_after=wait)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3), as 0 to 24 h from `now`; None for nonsense."""
    wait = timedelta(seconds=int(text)) if _SECONDS.fullmatch(text.strip()) else _until(text, now)
    return None if wait is None else min(max(wait, timedelta()), LONGEST_WAIT)


def _until(text: str, now: datetime) -> timedelta | None:
    from email.utils import parsedate_to_datetime

    try:
        then = parsedate_to_datetime(clean(text))
    except (ValueError, OverflowError):
        return None
    return (then if then.tzinfo else then.replace(tzinfo=UTC)) - now
