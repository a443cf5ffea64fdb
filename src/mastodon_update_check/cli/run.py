"""`run`: the daemon."""

from argparse import Namespace
from typing import NoReturn


def execute(_arguments: Namespace) -> NoReturn:
    """Run the daemon until it is told to stop."""
    from mastodon_update_check.daemon.start import run

    run()
