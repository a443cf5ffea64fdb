"""Which catalogue serves a locale, and what happens to one that cannot be read."""

import shutil
from datetime import UTC, date, datetime
from gettext import NullTranslations
from pathlib import Path

import pytest

from captured_logs import capture_logs
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.messages.translation import ENGLISH, Translation, language_tags
from mastodon_update_check.translations import load_translation
from translations.catalogues import CATALOGUES


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        *[(locale, "de") for locale in ("de", "de-AT", "de_CH", "DE", " de ", "de\n")],
        *[("es-MX", "es"), ("es-AR", "es"), ("fr-CA", "fr"), ("ja", "ja")],
        *[(locale, "en") for locale in ("", "en", "en-GB", "pt-BR", "zh-CN", "zh-TW", "sr-Latn", "xx")],
        *[
            (locale, "en")
            for locale in ("../de", "de/../de", "d", "de.mo", "de\x00", "d\u00e9", "de" * 100, "de-" * 20)
        ],
    ],
)
def test_which_language(locale: str, language: str) -> None:
    """The nearest one that there is, else English; a value from a database is never a path."""
    assert load_translation(locale).language == language


def test_a_catalogue_of_a_region(tmp_path: Path) -> None:
    """It is preferred where it is there; its tag says which it is."""
    assert language_tags("zh_Hant_TW") == ("zh-hant-tw", "zh-hant", "zh")
    shutil.copy(CATALOGUES / "de.mo", tmp_path / "de-at.mo")
    assert (load_translation("de-AT", tmp_path).language, load_translation("de", tmp_path).language) == ("de-at", "en")


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"\xde\x12\x04\x95" + b"\xff" * 40, b"\xde\x12\x04\x95\x00"])
def test_a_damaged_catalogue(tmp_path: Path, content: bytes) -> None:
    """It is logged once, and the message is in English: every recipient gets it."""
    (tmp_path / "de.mo").write_bytes(content)
    with capture_logs() as lines:
        found = [load_translation("de", tmp_path) for _ in range(2)]
    assert found == [ENGLISH, ENGLISH]
    assert [(line["event"], line["language"]) for line in lines] == [("language.failed", "de")]


def test_sentence_missing_in_a_catalogue() -> None:
    """A sentence that is not there is an error, not English in between."""
    translation = load_translation("de")
    with pytest.raises(UntranslatedError, match=r"no translation of 'Good morning\.'"):
        translation.say("Good morning.")
    with pytest.raises(UntranslatedError, match=r"no translation of '\{number\} cow'"):
        translation.count("{number} cow", "{number} cows", 2)
    with pytest.raises(UntranslatedError, match="no translation of 'weekday', 'Monday'"):
        translation.label("weekday", "Monday")


@pytest.mark.parametrize(
    ("language", "dates", "three", "more"),
    [
        ("en", ("1 March 2027", "20 December", "Sun 22 Nov 13:05 UTC"), "a, b and c", ["1 more", "2 more"]),
        ("de", ("1. März 2027", "20. Dezember", "So 22. Nov. 13:05 UTC"), "a, b und c", ["1 weitere", "2 weitere"]),
        ("es", ("1 de marzo de 2027", "20 de diciembre", "dom 22 nov 13:05 UTC"), "a, b y c", ["1 más", "2 más"]),
        ("fr", ("1er mars 2027", "20 décembre", "dim. 22 nov. 13:05 UTC"), "a, b et c", ["1 autre", "2 autres"]),
        ("ja", ("2027年3月1日", "12月20日", "11月22日(日) 13:05 UTC"), "a、b、c", ["ほか1件", "ほか2件"]),
    ],
)
def test_dates_lists_and_numbers(language: str, dates: tuple[str, ...], three: str, more: list[str]) -> None:
    """Dates, enumerations and plurals are those of the language."""
    translation = load_translation(language)
    written = (translation.long_date(date(2027, 3, 1)), translation.short_date(date(2026, 12, 20)))
    instant = translation.instant(datetime(2026, 11, 22, 13, 5, tzinfo=UTC))
    assert (*(text.replace("\u00a0", " ") for text in written), instant) == dates
    assert [translation.count("{number} more", "{number} more", number) for number in (1, 2)] == more
    assert translation.enumerate(["a", "b", "c"]) == three


def test_sentences_one_after_the_other() -> None:
    """A blank between them, but for a Japanese full stop; empty ones leave none."""
    assert ENGLISH.join("A.", "", "B.") == "A. B."
    assert ENGLISH.join("甲。", "乙。A.", "丙。") == "甲。乙。A. 丙。"


@pytest.mark.parametrize("names", ["", "January February", "a b c d e f g h i j k l m"])
def test_a_list_of_months_that_is_not_whole(names: str) -> None:
    """It counts as not translated."""

    class Short(NullTranslations):
        def pgettext(self, context: str, message: str) -> str:
            return names if context == "months" else message

    with pytest.raises(UntranslatedError, match="expected 12 names"):
        Translation("xx", Short()).long_date(date(2026, 1, 2))
