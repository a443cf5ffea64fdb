"""What the commands share: exit codes, settings, an opened program, output."""

import json
import os
import sys
from collections.abc import Mapping
from enum import IntEnum

from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.settings import Settings, load_settings


class Exit(IntEnum):
    """Exit codes (DESIGN.md, section 5; sysexits.h)."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNKNOWN = 3
    BROKEN = 70
    LEDGER = 74
    INCOMPLETE = 75
    SETTINGS = 78


def load_app() -> App:
    """Read the settings and set the logs up.

    Raises:
        SettingsError: the settings are wrong.
    """
    settings = load_settings(os.environ)
    logs.configure(settings.log_level, settings.log_format, secrets=_secrets(settings))
    return App(settings)


def _secrets(settings: Settings) -> tuple[str, ...]:
    """What must never show in a log, whatever a library or a server says."""
    names = ("password", "secret", "token", "key")
    options = [
        value for sink in settings.sinks for name, value in sink.options.items() if any(word in name for word in names)
    ]
    whole = (settings.db_pass, settings.database_url, settings.mastodon_database_url, settings.https_proxy)
    return tuple(options) + tuple(secret.get_secret_value() for secret in whole if secret is not None)


def print_json(data: Mapping[str, object]) -> None:
    """Write one JSON object to standard output."""
    json.dump(data, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
