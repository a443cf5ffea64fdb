"""Catalogues: every sentence of the source is in each of them, with the gaps it has."""

from gettext import GNUTranslations
from pathlib import Path
from string import Formatter

import pytest

from translations.catalogues import CATALOGUES, bring_up_to_date, extract, forms, read

PLACES = sorted(CATALOGUES.glob("*.po"))


each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place.stem))


def gaps(text: str) -> set[str]:
    """Return the names of a sentence's gaps."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_four_languages() -> None:
    """There are these languages and English; each has a compiled form and a source."""
    assert [place.stem for place in PLACES] == ["de", "es", "fr", "ja"]
    assert {place.with_suffix(".mo") for place in PLACES} == set(CATALOGUES.glob("*.mo"))


@each_place
def test_catalogues_are_complete(place: Path) -> None:
    """Every catalogue is complete."""
    catalogue = read(place)
    lacking = [
        one.id for one in extract() if not ((found := catalogue.get(one.id, one.context)) and all(forms(found.string)))
    ]
    wanted = {(one.context, forms(one.id)) for one in extract()}
    stale = [one.id for one in catalogue if one.id and (one.context, forms(one.id)) not in wanted]
    assert (lacking, stale, [one.id for one in catalogue if one.id and one.fuzzy]) == ([], [], [])
    for message in catalogue:
        if isinstance(message.id, tuple | list):
            assert catalogue.num_plurals == len(forms(message.string)), message.id


@each_place
def test_gaps(place: Path) -> None:
    """A translation has the gaps of the original in each of its forms, no others, and no blank at an end."""
    catalogue = read(place)
    for original in extract():
        found = catalogue.get(original.id, original.context)
        assert found is not None
        for number, form in enumerate(forms(found.string)):
            english = forms(original.id)[min(number, len(forms(original.id)) - 1)]
            assert (gaps(english), form.strip()) == (gaps(form), form), (english, form)


@each_place
def test_compiled(place: Path) -> None:
    """The compiled catalogues equal their sources."""
    with place.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for message in read(place):
        if not message.id:
            continue
        one = forms(message.id)[0]
        if message.context:
            assert message.string == compiled.pgettext(message.context, one)
        elif isinstance(message.id, str):
            assert message.string == compiled.gettext(one)
        else:
            several = {compiled.ngettext(one, forms(message.id)[1], number) for number in range(3)}
            assert set(forms(message.string)) == several


@each_place
def test_bringing_it_up_to_date_changes_nothing(place: Path, tmp_path: Path) -> None:
    """`make catalogues` has been run, and may be run again."""
    copy = tmp_path / place.name
    copy.write_bytes(place.read_bytes())
    assert bring_up_to_date(copy) == 0
    assert place.read_text() == copy.read_text()


def test_a_new_language(tmp_path: Path) -> None:
    """A catalogue that holds nothing yet is filled with what there is to translate."""
    new = tmp_path / "nl.po"
    new.touch()
    assert len(extract()) == bring_up_to_date(new)
    text = new.read_text()
    assert 'msgid "All pending updates:"\nmsgstr ""\n' in text
    assert '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"' in text
