"""The pictures of README: the status page and a mail, as a desktop shows them (`make portraits`)."""

from pathlib import Path
from tempfile import TemporaryDirectory

from browser.chromium import ROOT, Chromium, bring_chromium
from browser.test_page import BUSY, FIX, QUIET, render
from translations.letters import KINDS, letter

UPDATE = {**BUSY["updates"][0], "details": {"fixes": [FIX], "container_only": False, "requires": []}}
STATUS = {**QUIET, **{name: BUSY[name] for name in ("level", "reasons", "installed_version")}}
STATUS |= {"updates": [UPDATE], "route": ["4.5.20"]}
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
