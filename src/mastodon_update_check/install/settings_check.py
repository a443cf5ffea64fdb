"""The settings as the service will find them, read before anything is changed."""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mastodon_update_check.errors import SettingsError
from mastodon_update_check.host.names import Place
from mastodon_update_check.host.service import CONFIG
from mastodon_update_check.install.copying import COPY

_ONLY_THERE: Final = "_FILE"
"""A secret's file may exist for the service only, as a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsCheck:
    """The result of reading the settings."""

    errors: tuple[str, ...] = ()
    """The administrator's, which keep the service from starting."""
    disabled: tuple[str, ...] = ()
    """Mastodon's, each of which disables a part of the service."""


def check_settings(place: Place, config: str, copied: str) -> SettingsCheck:
    """Read the settings from drafts.

    Args:
        place: where the files will be.
        config: the content of our own file.
        copied: the content of the copy of Mastodon's settings.
    """
    from mastodon_update_check.config import load_settings

    with tempfile.TemporaryDirectory() as directory:
        drafts = {
            Path(directory, "config.env"): place.config_file,
            Path(directory, "mastodon.env"): place.mastodon_copy,
        }
        for draft, text in zip(drafts, (config, copied), strict=True):
            draft.write_text(text, errors="surrogateescape")

        def at_their_places(texts: Iterable[object]) -> tuple[str, ...]:
            said = "\n".join(map(str, texts))
            for draft, path in drafts.items():
                said = said.replace(str(draft), str(path))
            return tuple(said.splitlines())

        try:
            settings = load_settings(dict(zip((CONFIG, COPY), map(str, drafts), strict=True)))
        except SettingsError as error:
            return SettingsCheck(errors=at_their_places(each for each in error.problems if _ONLY_THERE not in each))
        return SettingsCheck(disabled=at_their_places(settings.disabled))
