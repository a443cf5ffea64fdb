"""How old an answer is by its own headers: `Age` (RFC 9111, 5.1) and `Date` (RFC 9110, 6.6.1)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

STALE = timedelta(days=1)
_SECONDS = re.compile(r"[0-9]+")
_MOST_SECONDS = 2**31
"""What RFC 9111, 1.2.2 says for numbers that are larger."""


def read_date(headers: Mapping[str, str]) -> datetime | None:
    """Return the instant that the header `Date` names, if there is one that can be read."""
    try:
        date = parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def describe_staleness(headers: Mapping[str, str], now: datetime) -> str:
    """Return the sentence about an update server's answer that is a day old or older; empty for any other."""
    age, date = _read_age(headers.get("age", "")), read_date(headers)
    if age >= STALE:
        source, doubt = "Age", ""
    elif date is not None and now - date >= STALE:
        source, age, doubt = "Date", now - date, " (or this machine's clock is ahead)"
    else:
        return ""
    return (
        f"the update server's answer is stale: {age.days} {'day' if age.days == 1 else 'days'} old by its header "
        f"{source}, so that newer releases may be missing; a cache or proxy on the way keeps an old answer{doubt}"
    )


def _read_age(text: str) -> timedelta:
    text = text.strip()
    if not (text.isascii() and _SECONDS.fullmatch(text)):
        return timedelta()
    return timedelta(seconds=min(int(text[:20]), _MOST_SECONDS))
