"""The package's copyright file: this project's licence, and that of every distribution in the package."""

import json
import re
from collections.abc import Iterable, Iterator

from tools.deb.tree import Distribution

_COMMON = {
    "Apache License Version 2.0, January 2004": "Apache-2.0",
    "Mozilla Public License Version 2.0": "MPL-2.0",
    "GNU LESSER GENERAL PUBLIC LICENSE Version 3, 29 June 2007": "LGPL-3",
    "GNU GENERAL PUBLIC LICENSE Version 3, 29 June 2007": "GPL-3",
}
"""Licences that every Debian system has as a file, by what their texts begin with."""
_LONG = 5_000
"""What is shorter only begins like one of those, or refers to it."""


_OTHERS = """\
The package also holds these distributions of Python modules, unchanged but for what is not needed to run them. Each has
its own authors and licence."""


def copyright_file(project_licence: str, distributions: Iterable[Distribution]) -> str:
    """Return the whole text; the same for the same wheels."""
    unique = {each.name.lower(): each for each in distributions}
    sections = [
        "mastodon-update-check\n\nCopyright The mastodon-update-check authors",
        _text("LICENSE", project_licence),
        _OTHERS,
        *(_section(unique[name]) for name in sorted(unique)),
    ]
    return "\n\n".join(sections) + "\n"


def _section(distribution: Distribution) -> str:
    metadata = distribution.metadata
    authors = metadata["Author"] or metadata["Author-email"]
    licence = metadata["License-Expression"] or metadata["License"] or "as follows"
    title = f"{distribution.name} {distribution.version}"
    head = f"{title}\n{'=' * len(title)}\n\nAuthors: {authors}\nLicense: {licence}\nSource: {_source(distribution)}"
    licences = distribution.texts_below("license", "licence", "notice", "copying")
    return "\n\n".join((head, *(_text(name, text) for name, text in licences.items()), *_parts(distribution)))


def _source(distribution: Distribution) -> str:
    home = distribution.metadata["Home-page"] or "see its authors"
    urls = [url.partition(", ")[2] for url in distribution.metadata.get_all("Project-URL", [])]
    return next((url for url in urls if "github.com" in url), home)


def _text(name: str, text: str) -> str:
    """Return a licence, or for one that every Debian system has where it stands."""
    beginning = " ".join(re.sub(r"[=#*]", " ", text[:500]).split())
    for title, file in _COMMON.items():
        if beginning.startswith(title) and len(text) > _LONG:
            return f"({name}: on Debian systems the text is in /usr/share/common-licenses/{file}.)"
    return f"({name})\n\n" + "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def _parts(distribution: Distribution) -> Iterator[str]:
    """Say what is compiled into a distribution, as its list of parts has it."""
    for text in distribution.texts_below("sboms").values():
        lines = sorted(
            {f"  {part['name']} {part['version']}: {_licence(part)}" for part in json.loads(text)["components"]}
        )
        yield "Compiled in, with their licences:\n\n" + "\n".join(lines)


def _licence(part: dict[str, list[dict[str, str]]]) -> str:
    return " AND ".join(licence.get("expression", "unknown") for licence in part.get("licenses", [])) or "unknown"
