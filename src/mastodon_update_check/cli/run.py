"""`run`: the daemon."""

from argparse import Namespace
from typing import NoReturn

from mastodon_update_check.app import App
from mastodon_update_check.cli.common import is_set_up, load_app
from mastodon_update_check.config import Settings
from mastodon_update_check.config.defaults import CONFIG_FILE
from mastodon_update_check.errors import SettingsError


def execute(_arguments: Namespace) -> NoReturn:
    """Run the daemon until it is told to stop."""
    from mastodon_update_check.daemon import daemon

    daemon.run(_load)


def _load() -> App:
    app = load_app()
    _require_set_up(app.settings)
    return app


def _require_set_up(settings: Settings) -> None:
    """Refuse to start where nobody has set anything up: checks of nothing, for nobody, would only look like a service.

    Raises:
        SettingsError: no variable is set anywhere, and Mastodon is not where it is looked for.
    """
    if not is_set_up(settings):
        config_file = settings.config_file or CONFIG_FILE
        sentence = (
            f"Nothing is set, and there is no Mastodon in {settings.mastodon_root}: run "
            f"`mastodon-update-check setup` as root, or say in {config_file} where it is."
        )
        raise SettingsError([sentence])
