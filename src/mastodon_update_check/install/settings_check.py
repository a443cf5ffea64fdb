"""The settings as the service will find them, read before anything is changed."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mastodon_update_check.config import load_settings
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.host.machine import Place
from mastodon_update_check.host.service import CONFIG
from mastodon_update_check.install.copying import COPY

_ONLY_THERE: Final = "_FILE"
"""A secret's file may exist for the service only, as a credential."""


def check_settings(place: Place, config: str, copied: str) -> tuple[Sequence[str], Sequence[str]]:
    """Return the errors that keep the service from starting, and what Mastodon's settings disable.

    Args:
        place: where the files will be.
        config: the content of our own file.
        copied: the content of the copy of Mastodon's settings.
    """
    with tempfile.TemporaryDirectory() as directory:
        own, mastodons = Path(directory, "config.env"), Path(directory, "mastodon.env")
        own.write_text(config, errors="surrogateescape")
        mastodons.write_text(copied, errors="surrogateescape")

        def at_its_place(sentence: object) -> str:
            text = str(sentence).replace(str(own), str(place.config_file))
            return text.replace(str(mastodons), str(place.mastodon_copy))

        try:
            settings = load_settings({CONFIG: str(own), COPY: str(mastodons)})
        except SettingsError as error:
            return [at_its_place(problem) for problem in error.problems if _ONLY_THERE not in problem], ()
        return (), list(map(at_its_place, settings.disabled))
