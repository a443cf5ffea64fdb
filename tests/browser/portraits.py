"""The pictures of README: the status page and a mail, as a desktop shows them (`make portraits`)."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from browser.chromium import ROOT, Chromium, bring_chromium
from browser.reports import BUSY, DETAILS, FIX, QUIET, render
from messages.writing import with_details
from translations.letters import KINDS, letter

KNOWN = with_details(
    replace(QUIET.known, installed=BUSY.known.installed, updates=BUSY.known.updates[:1]),
    replace(DETAILS, fixes=(FIX,), requires=()),
)
STATUS = replace(QUIET, known=KNOWN, verdict=BUSY.verdict)
WIDTH, MAIL_HEIGHT = 760, 420


def main() -> None:
    """Write docs/pictures/page.png and docs/pictures/mail.png."""
    command = bring_chromium()
    target = ROOT / "docs" / "pictures"
    target.mkdir(exist_ok=True)
    with TemporaryDirectory() as directory, Chromium(command, Path(directory) / "profile") as browser:
        for name, text in {"page": render(STATUS), "mail": letter(KINDS["patch-urgent-alone"], "en").html}.items():
            file = Path(directory) / f"{name}.html"
            file.write_text(text)
            browser.open(file.as_uri(), width=WIDTH, height=MAIL_HEIGHT).photograph(target / f"{name}.png")


if __name__ == "__main__":
    main()
