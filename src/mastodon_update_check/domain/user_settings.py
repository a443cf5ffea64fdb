"""What a Mastodon user wishes to be told, from `users.settings` (MASTODON.md, section 7).

Mastodon 4.2 and newer keep one flat JSON object there, with only what the user has changed. Nothing checks what is
read: a broken text makes Mastodon fail, an unknown word makes it silent. Here both mean the default, and a warning:
somebody who may want to know is not left out because of a damaged row.
"""

import json
from dataclasses import dataclass

from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.text import clean

SETTINGS_CHARACTERS = 65_536
"""Longest text that is read."""
DEFAULT_PREFERENCE = Preference.CRITICAL
"""Mastodon's own, as is that end-of-support warnings are on."""

_UPDATES = "notification_emails.software_updates"
_SUPPORT = "notification_emails.end_of_support"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody wishes to be told; `defects` are ends of sentences about what could not be read."""

    preference: Preference = DEFAULT_PREFERENCE
    wants_support: bool = True
    defects: tuple[str, ...] = ()


def read_wishes(settings: object) -> Wishes:
    """Return the wishes in the text of `users.settings`; None when the column is NULL or missing. Never raises."""
    if not isinstance(settings, str) or not settings.strip():
        return Wishes()
    if len(settings) > SETTINGS_CHARACTERS:
        return Wishes(defects=("settings that are too long to read",))
    try:
        document = json.loads(settings)
    except (ValueError, RecursionError):
        return Wishes(defects=("settings that are not JSON",))
    if document is None:
        return Wishes()
    if not isinstance(document, dict):
        return Wishes(defects=("settings that are not a JSON object",))
    return _wishes(document.get(_UPDATES), document.get(_SUPPORT))


def _wishes(updates: object, support: object) -> Wishes:
    preference = _preference(updates)
    defects = []
    if preference is None:
        defects.append(f"an unknown preference {_shown(updates)} ({_UPDATES}), taken as {DEFAULT_PREFERENCE}")
    # Mastodon takes every other value for true, Ruby's truth, "false" and 0 included.
    if not isinstance(support, bool | None):
        defects.append(f"neither true nor false but {_shown(support)} ({_SUPPORT}), taken as true")
    return Wishes(
        preference=preference or DEFAULT_PREFERENCE, wants_support=support is not False, defects=tuple(defects)
    )


def _preference(value: object) -> Preference | None:
    """Return the preference that a stored value stands for; None if Mastodon does not know it either."""
    if value is None:
        return DEFAULT_PREFERENCE
    return next((preference for preference in Preference if preference.value == value), None)


def _shown(value: object) -> str:
    return repr(clean(value, 40)) if isinstance(value, str) else f"of type {type(value).__name__}"
