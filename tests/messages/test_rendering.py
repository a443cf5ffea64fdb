"""How dates, instants and lists are written, and how a letter becomes lines."""

from datetime import UTC, date, datetime, timedelta, timezone

from domain.examples import cases
from mastodon_update_check.messages.content import (
    Content,
    Paragraph,
    Pointer,
    Release,
    Releases,
    long_date,
)
from mastodon_update_check.messages.rendering import render_text
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK


def test_dates() -> None:
    """Dates are written out, so that day and month cannot be confused."""
    assert (long_date(date(2027, 2, 20)), ENGLISH.short_date(date(2026, 12, 1)).replace(NO_BREAK, " ")) == (
        "20 February 2027",
        "1 December",
    )


def test_instants() -> None:
    """Instants are in UTC."""
    assert ENGLISH.instant(datetime(2026, 11, 22, 13, 5, tzinfo=UTC)) == "Sun 22 Nov 13:05 UTC"
    assert ENGLISH.instant(datetime(2027, 1, 1, 22, 7, tzinfo=timezone(timedelta(hours=-5)))) == "Sat 2 Jan 03:07 UTC"


@cases("words text", ("", ""), ("a", "a"), ("a b", "a and b"), ("a b c", "a, b and c"), ("a b c d", "a, b, c and d"))
def test_lists_in_words(words: str, text: str) -> None:
    """Commas, and one `and`."""
    assert ENGLISH.enumerate(tuple(words.split())) == text


def test_lines() -> None:
    """Paragraphs are filled, releases stand in columns, long pointers get a line of their own; dates stay whole."""
    letter = Content(
        subject="s",
        blocks=(
            Paragraph("x" * 74 + f" {ENGLISH.long_date(date(2027, 2, 20))} and on"),
            Releases((Release(version="4.5.20", label="patch"), Release(version="4.10.1", label="", note="n"))),
            Pointer("Short:", "https://a.example/"),
            Pointer("Fits:", "https://a.example/" + "x" * 54),
            Pointer("Long:", "https://a.example/" + "x" * 55),
        ),
        footer="f",
    )
    assert "\n".join(
        [
            "x" * 74,
            "20 February 2027 and on",
            "",
            "  4.5.20  patch",
            "  4.10.1",
            "      n",
            "",
            "Short: https://a.example/",
            "",
            "Fits: https://a.example/" + "x" * 54,
            "",
            "Long:",
            "  https://a.example/" + "x" * 55,
            "",
            "-- ",
            "f",
            "",
        ]
    ) == render_text(letter)
