"""`demo`: a demonstration on loopback and in a temporary directory; nothing else is touched."""

import os
import signal
import sys
from argparse import Namespace
from contextlib import suppress
from functools import partial

from mastodon_update_check.cli.output import Exit
from mastodon_update_check.config import load_settings
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.startup import require_set_up

_SECONDS_TO_LOOK = 60.0


def execute(arguments: Namespace) -> int:
    """Show the demonstration; with `--unless-set-up`, become the daemon where one has been set up."""
    if arguments.unless_set_up:
        settings = load_settings(os.environ)
        with suppress(SettingsError):
            require_set_up(settings)
            os.execv(sys.executable, [sys.executable, "-m", "mastodon_update_check", "run"])  # noqa: S606 - our own program
    from mastodon_update_check.demo.story import play

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        print("This is a demonstration with a made-up Mastodon server. Ctrl-C ends it.\n", flush=True)
        linger = _SECONDS_TO_LOOK if sys.stdout.isatty() else 0
        play(partial(print, flush=True), linger, is_remote="SSH_CONNECTION" in os.environ)
    except KeyboardInterrupt:
        print()
    print("The demonstration is over. Its files are removed.")
    return Exit.DONE
