"""Where things are unless a variable says otherwise."""

from datetime import timedelta
from pathlib import Path
from typing import Final

UPDATE_SERVER: Final = "https://api.joinmastodon.org/update-check"
CONFIG_FILE: Final = Path("/etc/mastodon-update-check/config.env")
MASTODON_ROOT: Final = Path("/home/mastodon/live")
MASTODON_FILES: Final = (".env.production.local", ".env.local", ".env.production", ".env")
"""The files that Rails loads from Mastodon's root in production, in its order: the first that sets a name wins."""
STATE_DIRECTORY: Final = Path("/var/lib/mastodon-update-check")
JITTER: Final = timedelta(seconds=60)
"""Spread of each check, unless the interval is shorter."""
