"""The protocol of sinks, and where they are found.

A sink is an entry point of the group `mastodon_update_check.sinks`: a factory that takes the sink's own options (its
`UPDATE_CHECK_<SINK>_…` variables, the rest of the name in lower case) and returns an object with one method.
"""

from collections.abc import Mapping
from typing import Protocol

from mastodon_update_check.messages.message import Message

ENTRY_POINTS = "mastodon_update_check.sinks"
_SECRET_CHARACTERS = 4
"""An option that is as long as this is removed from what another package's sink says; a shorter one is a word in it."""


def secret_options(options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options of another package's sink that may be secret: which ones are is not known here."""
    return tuple(value for value in options.values() if len(value) >= _SECRET_CHARACTERS)


class Sink(Protocol):
    """Delivers one message to one place, once.

    A sink that keeps a connection may also have a method `close()`, called when nothing is left to send. One that is
    always quick may have an attribute `attempt_limit`, a timedelta: an attempt that takes longer counts as stuck (20
    minutes otherwise, and at most).
    """

    def send(self, message: Message) -> str | None:
        """Hand `message` over; return the other side's reply, if there is one.

        Raises:
            TransientDeliveryError: not accepted, but may be later.
            PermanentDeliveryError: refused.
        """
