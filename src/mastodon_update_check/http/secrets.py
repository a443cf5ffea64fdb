"""The one rule for secrets in text from outside: servers repeat what they were sent, and error texts repeat URLs."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from mastodon_update_check.domain.text import clean

REDACTED = "…"
TOKEN_CHARACTERS = 16
"""A part of a URL's path or query that is as long as this may be a token; a shorter one is a word."""


def secrets_of(url: str) -> frozenset[str]:
    """Return what may be secret in a URL: everything but scheme, host and port, whole and in pieces."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    pieces = {piece for piece in re.split(r"[/?&=;]", path) if len(piece) >= TOKEN_CHARACTERS}
    user, password = parts.username or "", parts.password or ""
    sent = f"{unquote(user)}:{unquote(password)}"  # basic authentication
    login = {user, password, sent, b64encode(sent.encode()).decode()} if user or password else set()
    return frozenset({path, parts.path, parts.query, *pieces, *login} - {"", "/"})


def hide(text: str, secrets: Iterable[str], *, is_cut: bool = False) -> str:
    """Return `text` without any of `secrets`, in whichever form a server writes them.

    With `is_cut` the beginning of a secret may stand at the end: that much is left out.
    """
    forms = sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True)
    for form in forms:
        text = text.replace(form, REDACTED)
    # How many characters of a secret stand at the end.
    sizes = (size for form in forms for size in range(len(form), 0, -1) if text.endswith(form[:size]))
    return text[: -max(sizes, default=0) or None] if is_cut else text


def shown(text: str, secrets: Iterable[str] = (), *, is_cut: bool = False) -> str:
    """Return text from outside on one line, cut, without `secrets`, even with invisible characters within them."""
    known = tuple(secrets)
    visible = "".join(char for char in text if char.isprintable())
    if hide(visible, known) != visible:
        text = visible
    return clean(hide(text, known, is_cut=is_cut))


def _forms(secret: str) -> Iterator[str]:
    for text in {secret, unquote(secret), unquote_plus(secret)}:
        yield text
        yield quote(text)
        yield quote(text, safe="")
        yield html.escape(text)
        yield json.dumps(text)[1:-1]
        yield json.dumps(text)[1:-1].replace("/", "\\/")
