"""Pictures of every message, as a phone and a desktop show it, light and dark: `make pictures`; it needs chromium.

One picture has all kinds of one language, each in a frame as wide as the screen; what is looked at is not committed.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from translations.letters import KINDS, LANGUAGES, letter

SCREENS = {"phone": (390, 4), "desktop": (1000, 2)}
"""How wide a frame is, and how many stand beside each other."""
SCHEMES = {"dark": 0, "light": 1}
_GAP = 10
_CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
_STYLE = "body { margin: 0; background: #888; font: 12px sans-serif } figure { margin: 5px; break-inside: avoid }"
_MEASURE = """
for (const frame of document.querySelectorAll("iframe"))
    frame.height = frame.contentDocument.documentElement.scrollHeight;
document.body.dataset.height = document.documentElement.scrollHeight;
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


def chromium(page: Path, profile: str, *options: str) -> str:
    """Let Chromium do something with a page, and return what it prints."""
    command = [*_CHROMIUM, f"--user-data-dir={profile}", *options, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def photograph(directory: Path) -> Iterator[Path]:
    """Write the pages and their pictures; name the pictures."""
    for language in LANGUAGES:
        for screen, (wide, columns) in SCREENS.items():
            page = directory / f"{language}-{screen}.html"
            page.write_text(sheet(language, wide, columns))
            with TemporaryDirectory() as profile:
                across = columns * (wide + _GAP)
                shown = chromium(page, profile, f"--window-size={across},1000", "--dump-dom")
                height = re.findall(r'data-height="(\d+)"', shown)[0]
                for scheme, number in SCHEMES.items():
                    picture = directory / f"{language}-{screen}-{scheme}.png"
                    chromium(
                        page,
                        profile,
                        f"--blink-settings=preferredColorScheme={number}",
                        f"--window-size={across},{height}",
                        f"--screenshot={picture}",
                    )
                    yield picture


if __name__ == "__main__":
    target = Path(__file__).parents[2] / "build" / "letters" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    for made in photograph(target):
        sys.stdout.write(f"{made}\n")
