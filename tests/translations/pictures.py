"""Pictures of every message, as a phone and a desktop show it, light and dark: `make pictures`; it brings chromium.

One picture has all kinds of one language, each in a frame as wide as the screen; what is looked at is not committed.
"""

import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from browser.chromium import ROOT, Chromium, bring_chromium
from translations.letters import KINDS, LANGUAGES, letter

SCREENS = {"phone": (390, 4), "desktop": (1000, 2)}
"""How wide a frame is, and how many stand beside each other."""
_GAP = 10
_STYLE = "body { margin: 0; background: #888; font: 12px sans-serif } figure { margin: 5px; break-inside: avoid }"
_MEASURE = """
for (const frame of document.querySelectorAll("iframe"))
    frame.height = frame.contentDocument.documentElement.scrollHeight;
"""


def sheet(language: str, wide: int, columns: int) -> str:
    """Return a page with every kind in a frame of its own."""
    frames = "\n".join(
        f'<figure>{name}<br><iframe width="{wide}" frameborder="0" srcdoc="{escape(letter(one, language).html)}">'
        "</iframe></figure>"
        for name, one in KINDS.items()
    )
    return (
        f'<!DOCTYPE html><meta charset="utf-8"><style>{_STYLE} body {{ columns: {columns}; column-gap: 0 }}</style>'
        f"<body>{frames}<script>onload = () => {{{_MEASURE}}}</script>"
    )


def photograph(browser: Chromium, directory: Path) -> Iterator[Path]:
    """Write the pages and their pictures; name the pictures."""
    for language in LANGUAGES:
        for screen, (wide, columns) in SCREENS.items():
            page = directory / f"{language}-{screen}.html"
            page.write_text(sheet(language, wide, columns))
            for scheme in ("dark", "light"):
                picture = page.with_name(f"{page.stem}-{scheme}.png")
                browser.open(page.as_uri(), width=columns * (wide + _GAP), scheme=scheme).photograph(picture)
                yield picture


if __name__ == "__main__":
    target = ROOT / "build" / "letters" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as profile, Chromium(bring_chromium(), Path(profile)) as browser:
        for made in photograph(browser, target):
            sys.stdout.write(f"{made}\n")
