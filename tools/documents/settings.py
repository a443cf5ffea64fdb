"""Every setting in words, as `settings.toml` has them."""

import tomllib
from pathlib import Path
from typing import Any, Final, NamedTuple


class Setting(NamedTuple):
    """One variable."""

    name: str
    default: str
    """The value that holds when it is not set; empty when no single value says the same."""
    meaning: str
    example: str
    is_secret: bool


class Group(NamedTuple):
    """Settings that belong together."""

    title: str
    introduction: str
    settings: tuple[Setting, ...]


ELSEWHERE: Final = frozenset({"UPDATE_CHECK_CONFIG"})
"""What cannot be set in our own file."""


def _text(table: dict[str, Any], name: str) -> str:
    return " ".join(str(table.get(name, "")).split())


def _setting(table: dict[str, Any]) -> Setting:
    name, default, meaning, example = (_text(table, key) for key in ("name", "default", "meaning", "example"))
    return Setting(name, default, meaning, example, is_secret=table.get("secret", False))


def _group(table: dict[str, Any]) -> Group:
    return Group(_text(table, "title"), _text(table, "introduction"), tuple(map(_setting, table["setting"])))


_DOCUMENT = tomllib.loads(Path(__file__).with_name("settings.toml").read_text())
SOURCES: Final = tuple(" ".join(paragraph.split()) for paragraph in _DOCUMENT["sources"])
"""Where settings come from; one paragraph each."""
GROUPS: Final = tuple(map(_group, _DOCUMENT["group"]))
"""All settings, in the order in which an administrator comes to them."""
