"""The settings, read and checked once: `load_settings(environ)` returns them, or raises with everything that is wrong.

Importing this package is cheap. pydantic is imported when one of its names is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mastodon_update_check.config.load import load_settings
    from mastodon_update_check.config.model import Settings, SinkSettings

__all__ = ["Settings", "SinkSettings", "load_settings"]

_MODULES = {"Settings": "model", "SinkSettings": "model", "load_settings": "load"}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
