"""A Mastodon user's notification preferences, from `users.settings`.

Mastodon 4.2 and newer keep one flat JSON object there, with only the values that the user has changed. It does not
validate what it reads: a broken text makes it fail, and an unknown word makes it silent. Here both mean the default and
a warning, so that a damaged row excludes no user.
"""

import json
from dataclasses import dataclass

from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.text import clean

SETTINGS_CHARACTERS = 65_536
"""Longest text that is read; our SQL returns far less."""
DEFAULT_PREFERENCE = Preference.CRITICAL
"""Mastodon's own, as is that end-of-support warnings are on."""

_UPDATES = "notification_emails.software_updates"
_SUPPORT = "notification_emails.end_of_support"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPreferences:
    """The preferences; `defects` are the ends of sentences about values that could not be read."""

    preference: Preference = DEFAULT_PREFERENCE
    wants_support: bool = True
    defects: tuple[str, ...] = ()


def read_preferences(settings: object) -> UserPreferences:
    """Return the preferences in the text of `users.settings`; None when the column is NULL or missing. Never raises."""
    if not isinstance(settings, str) or not settings.strip():
        return UserPreferences()
    if len(settings) > SETTINGS_CHARACTERS:
        return UserPreferences(defects=("settings that are too long to read",))
    try:
        document = json.loads(settings)
    except (ValueError, RecursionError):
        return UserPreferences(defects=("settings that are not JSON",))
    if document is None:
        return UserPreferences()
    if not isinstance(document, dict):
        return UserPreferences(defects=("settings that are not a JSON object",))
    return _read_members(document.get(_UPDATES), document.get(_SUPPORT))


def _read_members(updates: object, support: object) -> UserPreferences:
    preference = _preference(updates)
    defects = []
    if preference is None:
        defects.append(f"an unknown preference {_shown(updates)} ({_UPDATES}), taken as {DEFAULT_PREFERENCE}")
    # For Mastodon, as for Ruby, every other value is true, "false" and 0 too.
    if not isinstance(support, bool | None):
        defects.append(f"neither true nor false but {_shown(support)} ({_SUPPORT}), taken as true")
    return UserPreferences(
        preference=preference or DEFAULT_PREFERENCE, wants_support=support is not False, defects=tuple(defects)
    )


def _preference(value: object) -> Preference | None:
    """Return the preference of a stored value; None if Mastodon does not know it either."""
    if value is None:
        return DEFAULT_PREFERENCE
    return next((preference for preference in Preference if preference.value == value), None)


def _shown(value: object) -> str:
    return repr(clean(value, 40)) if isinstance(value, str) else f"of type {type(value).__name__}"
