"""The language of a message: its sentences, dates and enumerations.

English is in the source; other languages are catalogues, found elsewhere and passed in. Sentences are looked up whole,
with named gaps; a message is wholly in one language, so what a catalogue lacks is an error here (docs/TRANSLATING.md).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from gettext import NullTranslations

from mastodon_update_check.errors import UntranslatedError

NO_BREAK = "\u00a0"
"""A blank at which no line ends, as inside a date."""
_FULL_STOPS = "。！？"  # noqa: RUF001 - Chinese and Japanese ones
_LOCALE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")
_LONGEST_LOCALE = 35


def language_tags(locale: str) -> tuple[str, ...]:
    """Return the languages that may serve a locale, nearest first; none for English, or a text that is not a locale."""
    tag = locale.strip().lower().replace("_", "-")
    if len(tag) > _LONGEST_LOCALE or not _LOCALE.fullmatch(tag):
        return ()
    parts = tag.split("-")
    return () if parts[0] == "en" else tuple("-".join(parts[:number]) for number in range(len(parts), 0, -1))


@dataclass(frozen=True, slots=True)
class Translation:
    """One language. Every method raises `UntranslatedError` for what it cannot say."""

    language: str = "en"
    translator: NullTranslations = NullTranslations()  # noqa: RUF009 - it has no state
    """The catalogue; without one the sentences stay as they are in the source."""

    def say(self, text: str, /, **values: object) -> str:
        """Return a sentence with its gaps filled."""
        return _fill(self.translator.gettext(text), values)

    def count(self, one: str, many: str, number: int, /, **values: object) -> str:
        """Return a sentence about a number of things; `{number}` is that number."""
        return _fill(self.translator.ngettext(one, many, number), {"number": number, **values})

    def label(self, context: str, text: str, /, **values: object) -> str:
        """Return a word or a pattern that needs a context to be understood."""
        return _fill(self.translator.pgettext(context, text), values)

    @staticmethod
    def join(*sentences: str) -> str:
        """Write sentences one after the other, without empty ones; there is no space after a Japanese full stop."""
        text = ""
        for sentence in filter(None, sentences):
            text += sentence if not text or text[-1] in _FULL_STOPS else f" {sentence}"
        return text

    def enumerate(self, items: Sequence[str]) -> str:
        """Write `a`, `a and b`, `a, b and c`."""
        if not items:
            return ""
        *others, last = items
        if not others:
            return last
        first, *middle = others
        for item in middle:
            first = self.label("enumeration", "{first}, {next}", first=first, next=item)
        return self.label("enumeration", "{first} and {last}", first=first, last=last)

    def long_date(self, day: date) -> str:
        """Write a date as `20 February 2027`."""
        number, month = self._day_and_month(day)
        text = self.label("date", "{day} {month} {year}", day=number, month=month, year=day.year)
        return text.replace(" ", NO_BREAK, 1)

    def short_date(self, day: date) -> str:
        """Write a date as `17 December`."""
        number, month = self._day_and_month(day)
        return self.label("date", "{day} {month}", day=number, month=month).replace(" ", NO_BREAK, 1)

    def instant(self, moment: datetime) -> str:
        """Write an instant as `Sun 22 Nov 13:05 UTC`."""
        moment = moment.astimezone(UTC)
        months = _split(self.label("short months", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"), 12)
        weekdays = _split(self.label("short weekdays", "Mon Tue Wed Thu Fri Sat Sun"), 7)
        return self.label(
            "date",
            "{weekday} {day} {month} {time} UTC",
            weekday=weekdays[moment.weekday()],
            day=moment.day,
            month=months[moment.month - 1],
            time=f"{moment.hour:02}:{moment.minute:02}",
        )

    def _day_and_month(self, day: date) -> tuple[str, str]:
        names = self.label(
            "months", "January February March April May June July August September October November December"
        )
        number = self.label("first day of a month", "1") if day.day == 1 else str(day.day)
        return number, _split(names, 12)[day.month - 1]


def _split(names: str, number: int) -> list[str]:
    found = names.split()
    if len(found) != number:
        raise UntranslatedError(f"expected {number} names, found {len(found)}: {names!r}")
    return found


def _fill(text: str, values: dict[str, object]) -> str:
    try:
        return text.format(**values)
    except (KeyError, IndexError, ValueError, AttributeError) as error:  # as a catalogue of another author may have it
        raise UntranslatedError(f"a translation has gaps that cannot be filled: {text!r}") from error


ENGLISH = Translation()
