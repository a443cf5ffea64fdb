"""`check-settings`: run by the unit at a reload, so that `systemctl reload` fails when the settings are wrong."""

import os
from argparse import Namespace

from mastodon_update_check.cli.common import Exit
from mastodon_update_check.config import load_settings


def execute(_: Namespace) -> int:
    """Read the settings; a wrong one is a `SettingsError`, which is reported like everywhere."""
    load_settings(os.environ)
    return Exit.DONE
