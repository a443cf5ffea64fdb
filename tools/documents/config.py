"""`config.env` as an administrator first sees it: every setting explained, and none set."""

import textwrap
from collections.abc import Iterator

from tools.documents.settings import ELSEWHERE, GROUPS, SOURCES, Group, Setting

_WIDTH = 100


def config_env() -> str:
    """Return the text of the file."""
    head = ["# The settings of mastodon-update-check. Take the # off in front of what you want to set.", "#"]
    for paragraph in SOURCES:
        head += [*_comment(paragraph), "#"]
    return "\n".join([*head[:-1], *(line for group in GROUPS for line in _group(group))]) + "\n"


def _group(group: Group) -> Iterator[str]:
    yield from ("", "", f"### {group.title}")
    yield from _comment(group.introduction)
    for setting in group.settings:
        if setting.name not in ELSEWHERE:
            yield from (
                "",
                *_comment(_meaning(setting)),
                f"#{setting.name}={_quoted(setting.default or setting.example)}",
            )


def _meaning(setting: Setting) -> str:
    if setting.default:
        return f"{setting.meaning} For example {setting.example}" if setting.example else setting.meaning
    return f"{setting.meaning} For example:"


def _quoted(value: str) -> str:
    return f"'{value}'" if set(value) & set(" #") else value


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
