"""The languages of messages other than English: gettext catalogues that are part of this package.

A catalogue `locale/de.po` is kept compiled beside it as `locale/de.mo` (docs/TRANSLATING.md).
"""

import struct
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import UntranslatedError
from mastodon_update_check.logs import log
from mastodon_update_check.messages.translation import ENGLISH, Translation, language_tags


class _Missing(NullTranslations):
    """The fallback of a catalogue: refuses every sentence that the catalogue lacks."""

    def gettext(self, message: str) -> NoReturn:
        raise UntranslatedError(f"no translation of {message!r}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> NoReturn:  # noqa: ARG002 - the base's signature
        self.gettext(msgid1)

    def pgettext(self, context: str, message: str) -> NoReturn:
        raise UntranslatedError(f"no translation of {context!r}, {message!r}")


@cache
def load_translation(locale: str, catalogues: Path | None = None) -> Translation:
    """Return the language for a locale of Mastodon's users, as in `de-AT`; English when there is none."""
    folder = files("mastodon_update_check") / "locale" if catalogues is None else catalogues
    found = (_read(tag, folder / f"{tag}.mo") for tag in language_tags(locale))
    return next(filter(None, found), ENGLISH)


def _read(tag: str, file: Traversable) -> Translation | None:
    """Read a catalogue; None when there is none that can be read."""
    try:
        with file.open("rb") as opened:
            catalogue = GNUTranslations(opened)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, struct.error) as error:
        log.warning("language.failed", language=tag, detail=f"its catalogue cannot be read: {clean(str(error))}")
        return None
    catalogue.add_fallback(_Missing())
    return Translation(tag, catalogue)
