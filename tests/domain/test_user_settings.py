"""Preferences from any content of `users.settings`."""

import json

from hypothesis import given
from hypothesis import strategies as st

from domain.examples import cases
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.staff import SETTINGS_CHARACTERS, UserPreferences, read_preferences

UPDATES = "notification_emails.software_updates"
SUPPORT = "notification_emails.end_of_support"
DEFAULT = UserPreferences(preference=Preference.CRITICAL, wants_support=True)


@cases(
    "settings expected",
    ("no column, or NULL: the default", None, DEFAULT),
    ("an empty text: the default", "", DEFAULT),
    ("blanks: the default", " \n", DEFAULT),
    ("JSON's null: the default", "null", DEFAULT),
    ("an empty object: the default", "{}", DEFAULT),
    ("other wishes: the default", '{"web.auto_play": true, "": {"x": 1}}', DEFAULT),
    ("a null for each: the default", json.dumps({UPDATES: None, SUPPORT: None}), DEFAULT),
    ("none", json.dumps({UPDATES: "none"}), UserPreferences(preference=Preference.NONE)),
    ("critical", json.dumps({UPDATES: "critical"}), UserPreferences(preference=Preference.CRITICAL)),
    ("patch", json.dumps({UPDATES: "patch"}), UserPreferences(preference=Preference.PATCH)),
    ("all", json.dumps({UPDATES: "all"}), UserPreferences(preference=Preference.ALL)),
    ("support warnings on", json.dumps({SUPPORT: True}), DEFAULT),
    ("support warnings off", json.dumps({SUPPORT: False}), UserPreferences(wants_support=False)),
    (
        "both",
        json.dumps({UPDATES: "all", SUPPORT: False}),
        UserPreferences(preference=Preference.ALL, wants_support=False),
    ),
    ("the last of two", f'{{"{UPDATES}": "all", "{UPDATES}": "none"}}', UserPreferences(preference=Preference.NONE)),
    ("keys are flat: a nest is none", '{"notification_emails": {"software_updates": "all"}}', DEFAULT),
)
def test_wishes(settings: str | None, expected: UserPreferences) -> None:
    """Each text that Mastodon writes, and each that it reads, means the same here."""
    assert read_preferences(settings) == expected


@cases(
    "settings",
    ("cut off", '{"notification'),
    ("YAML of old", "---\n- x"),
    ("far too deep", "[" * 60_000),
    ("a number without end", "1" * 60_000),
    ("a list", "[1]"),
    ("a text", '"all"'),
    ("false", "false"),
    ("too long", json.dumps({UPDATES: "all", "x": "x" * SETTINGS_CHARACTERS})),
)
def test_damaged_settings(settings: str) -> None:
    """Settings that cannot be read mean the default and a warning."""
    assert read_preferences(settings) == UserPreferences(defects=("settings that cannot be read",))


@cases(
    "value shown",
    ("a word that no version has", "major", "'major'"),
    ("capitals", "All", "'All'"),
    ("an empty word", "", "''"),
    ("true", True, "of type bool"),
    ("a number", 1, "of type int"),
    ("a list", ["all"], "of type list"),
)
def test_unknown_preference(value: object, shown: str) -> None:
    """A preference that Mastodon does not know, and never mails for, means the default and a warning."""
    defect = f"an unknown preference {shown} ({UPDATES}), taken as critical"
    assert read_preferences(json.dumps({UPDATES: value})) == UserPreferences(defects=(defect,))


@cases("value shown", ("false", "'false'"), ("", "''"), (0, "of type int"), ([], "of type list"))
def test_support_preference_that_is_not_a_boolean(value: object, shown: str) -> None:
    """Every value but null and false is true in Ruby, and here too, with a warning."""
    defect = f"neither true nor false but {shown} ({SUPPORT}), taken as true"
    assert read_preferences(json.dumps({SUPPORT: value})) == UserPreferences(defects=(defect,))


def test_one_wish_does_not_spoil_the_other() -> None:
    """A preference that is known counts beside a support wish that is not."""
    wishes = read_preferences(json.dumps({UPDATES: "none", SUPPORT: "no"}))
    assert (wishes.preference, wishes.wants_support) == (Preference.NONE, True)


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
)
def test_any_text(settings: str) -> None:
    """No text is an error."""
    assert read_preferences(settings).preference in Preference
