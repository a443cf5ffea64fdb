"""Every option of this program, read and checked once: `load_settings(environ)` returns them, or says what is wrong."""

from mastodon_update_check.config.load import load_settings
from mastodon_update_check.config.model import Settings, SinkSettings

__all__ = ["Settings", "SinkSettings", "load_settings"]
