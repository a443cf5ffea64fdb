"""`run`: the daemon."""

from argparse import Namespace
from typing import NoReturn

from mastodon_update_check.commands.common import load_app


def execute(_arguments: Namespace) -> NoReturn:
    """Run the daemon until it is told to stop."""
    from mastodon_update_check import daemon

    daemon.run(load_app)
