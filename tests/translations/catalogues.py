"""The catalogues of translations: what they must hold, by the source, and how they are written and compiled.

Run as a script (`make catalogues`) it brings every catalogue up to date with the source and compiles it.
"""

import sys
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[2] / "src" / "mastodon_update_check" / "messages"
CATALOGUES = SOURCE.parent / "locale"
_KEYWORDS = {"say": None, "count": (1, 2), "label": ((1, "c"), 2)}
_COMMENT = "# Messages of mastodon-update-check in {language}. How to change them: docs/TRANSLATING.md"


class _Plain(Catalog):
    """A catalogue with a minimal header, without dates and names of programs."""

    def __iter__(self) -> Iterator[Message]:
        header = f"Language: {self.locale_identifier}\nPlural-Forms: {self.plural_forms}\n"
        yield Message("", string=f"{header}Content-Type: text/plain; charset=utf-8\n")
        yield from (message for message in super().__iter__() if message.id)


def extract() -> tuple[Message, ...]:
    """Return what the source says."""
    found = Catalog()
    for _, _, text, _, context in extract_from_dir(SOURCE, keywords=_KEYWORDS):
        found.add(text, context=context)
    return tuple(message for message in found if message.id)


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem.replace("-", "_"), abort_invalid=True)


def save(path: Path, messages: Iterable[Message]) -> None:
    """Write a catalogue, and compile it."""
    language = path.stem.replace("-", "_")
    plain = _Plain(locale=language, fuzzy=False, header_comment=_COMMENT.format(language=path.stem))
    for message in messages:
        plain.add(message.id, message.string, context=message.context, auto_comments=message.auto_comments)
    for target, write in ((path, _write_po), (path.with_suffix(".mo"), write_mo)):
        text = BytesIO()
        write(text, plain)
        target.write_bytes(text.getvalue())


def _write_po(file: BytesIO, catalogue: Catalog) -> None:
    write_po(file, catalogue, width=120)


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    """Return a text, or each of its plural forms."""
    return (text,) if isinstance(text, str) else tuple(text or ())


def bring_up_to_date(path: Path) -> int:
    """Take in what the source says now, write the catalogue and compile it; return how much is not translated."""
    known = read(path)
    missing = 0
    messages = extract()
    for message in messages:
        former = known.get(message.id, message.context)
        message.string = former.string if former else ""
        missing += not all(forms(message.string))
    save(path, messages)
    return missing


if __name__ == "__main__":
    for path in sorted(CATALOGUES.glob("*.po")):
        missing = bring_up_to_date(path)
        sys.stdout.write(f"{path.stem}: {missing or 'nothing'} missing\n")
