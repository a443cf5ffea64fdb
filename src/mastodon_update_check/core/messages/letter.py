"""What a message says, apart from its form: a subject, blocks, a footer. Plain text and HTML are made from it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One line of a list of releases."""

    version: str
    label: str
    """`urgent`, `patch`, `minor`, `major`."""
    url: str = ""
    is_link: bool = False
    """Whether the URL may become a link: only on hosts that are known."""
    note: str = ""
    when: str = ""
    """`now` or `later`; empty when there is nothing to put in order."""
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Releases:
    """A list of releases."""

    rows: tuple[Release, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place to look, on a line of its own."""

    label: str
    target: str
    is_link: bool = True


Block = Paragraph | Releases | Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The content of a message."""

    subject: str
    blocks: tuple[Block, ...]
    footer: str
    is_urgent: bool = False


def long_date(day: date) -> str:
    """Write a date as `20 February 2027`."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """Write a date as `17 December`."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def instant(moment: datetime) -> str:
    """Write an instant as `Sun 22 Nov 13:05 UTC`."""
    moment = moment.astimezone(UTC)
    weekday, month = _WEEKDAYS[moment.weekday()], MONTHS[moment.month - 1][:3]
    return f"{weekday} {moment.day} {month} {moment.hour:02}:{moment.minute:02} UTC"


def enumerate_words(words: tuple[str, ...]) -> str:
    """Write `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
