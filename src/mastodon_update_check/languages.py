"""The languages of messages besides English: gettext catalogues that are part of this package.

A catalogue `locale/de.po` is kept compiled beside it as `locale/de.mo` (docs/TRANSLATING.md).
"""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import NoReturn

import structlog

from mastodon_update_check.core.messages.words import ENGLISH, Words, language_tags
from mastodon_update_check.errors import UntranslatedError

log = structlog.get_logger()


class _Nothing(NullTranslations):
    """What is asked when a catalogue lacks something."""

    def gettext(self, message: str) -> NoReturn:
        raise UntranslatedError(f"no translation of {message!r}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> NoReturn:  # noqa: ARG002 - the base's signature
        raise UntranslatedError(f"no translation of {msgid1!r}")

    def pgettext(self, context: str, message: str) -> NoReturn:
        raise UntranslatedError(f"no translation of {context!r}, {message!r}")


@cache
def load_words(locale: str) -> Words:
    """Return the language that serves a locale, as in `de-AT`; English when there is none."""
    for tag in language_tags(locale):
        words = _load(tag)
        if words is not None:
            return words
    return ENGLISH


@cache
def _load(tag: str) -> Words | None:
    """Read a catalogue; None when there is none, or none that can be read."""
    try:
        with (files("mastodon_update_check") / "locale" / f"{tag}.mo").open("rb") as file:
            catalogue = GNUTranslations(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.warning("language.failed", language=tag, detail=f"its catalogue cannot be read: {error}")
        return None
    catalogue.add_fallback(_Nothing())
    return Words(tag, catalogue)
