"""The documents that are made from the code."""

from collections.abc import Callable
from typing import Final

from tools.documents import completion, config, manual, page

DOCUMENTS: Final[dict[str, Callable[[], str]]] = {
    "packaging/config.env": config.config_env,
    "docs/settings.md": page.settings_page,
    "packaging/mastodon-update-check.1": manual.manual_page,
    "packaging/completion/mastodon-update-check": completion.bash,
    "packaging/completion/_mastodon-update-check": completion.zsh,
    "packaging/completion/mastodon-update-check.fish": completion.fish,
}
"""Each file of the project that is made, and what makes its text."""
