"""The content of a message, independent of its form: subject, blocks, footer; rendered as plain text and HTML."""

from dataclasses import dataclass
from datetime import date

from mastodon_update_check.domain.changelog import Fix
from mastodon_update_check.messages.translation import ENGLISH, NO_BREAK


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One line of a list of releases."""

    version: str
    label: str
    """`urgent`, `patch`, `minor`, `major`."""
    url: str = ""
    is_link: bool = False
    """True if the URL may become a link: only on hosts that are known."""
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
    notes_label: str = "Release notes"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A place to look, on a line of its own."""

    label: str
    target: str
    is_link: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """The fixes of a release, and the steps of the upgrade."""

    title: str = ""
    fixes: tuple[Fix, ...] = ()
    sentences: tuple[str, ...] = ()


Block = Paragraph | Releases | Pointer | Details


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a message."""

    subject: str
    blocks: tuple[Block, ...]
    footer: str = ""
    footer_url: str = ""
    is_urgent: bool = False
    language: str = "en"


def long_date(day: date) -> str:
    """Write a date as `20 February 2027`."""
    return ENGLISH.long_date(day).replace(NO_BREAK, " ")
