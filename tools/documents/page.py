"""`docs/settings.md`."""

from collections.abc import Iterator

from tools.documents.settings import GROUPS, SOURCES, Group, Setting


def settings_page() -> str:
    """Return the text of the page."""
    head = ["# Settings", "<!-- Made from the code by `make documents`. -->", *SOURCES]
    return "\n\n".join([*head, *(block for group in GROUPS for block in _group(group))]) + "\n"


def _group(group: Group) -> Iterator[str]:
    yield f"## {group.title}"
    if group.introduction:
        yield group.introduction
    rows = ["| variable | default | meaning |", "|---|---|---|", *map(_row, group.settings)]
    yield "\n".join(rows)


def _row(setting: Setting) -> str:
    default = f"`{setting.default}`" if setting.default else "\N{EN DASH}"
    # A backtick or a bar would break the table; no sentence has one.
    example = f" For example `{setting.example}`." if setting.example else ""
    secret = " A secret." if setting.is_secret else ""
    return f"| `{setting.name}` | {default} | {setting.meaning}{example}{secret} |"
