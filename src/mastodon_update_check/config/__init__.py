"""The settings: `load_settings(environ)` reads and checks them once, or raises with everything that is wrong."""

from mastodon_update_check.config.load import load_settings
from mastodon_update_check.config.settings import Settings, SinkSettings

__all__ = ["Settings", "SinkSettings", "load_settings"]
