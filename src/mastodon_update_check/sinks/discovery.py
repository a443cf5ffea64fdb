"""The protocol of sinks, and their discovery.

A sink is an entry point of the group `mastodon_update_check.sinks`: a factory that takes the sink's own options (its
`UPDATE_CHECK_<SINK>_…` variables, the rest of the name in lower case) and returns an object with one method. Only the
requested one is loaded.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.messages.message import Message

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_SECRET_CHARACTERS = 4
"""An option that is as long as this is removed from what another package's sink says; a shorter one is a word in it."""


class Sink(Protocol):
    """Delivers one message to one place, once.

    A sink that keeps a connection may also have a method `close()`, called when nothing is left to send. One that is
    always quick may have an attribute `attempt_limit`, a timedelta: an attempt that takes longer counts as stuck (20
    minutes otherwise, and at most).
    """

    def send(self, message: Message) -> str | None:
        """Hand `message` over; return the other side's reply, if there is one.

        Raises `TransientDeliveryError` if it may be accepted later, and `PermanentDeliveryError` if it was refused.
        """


def secret_options(options: Mapping[str, str]) -> tuple[str, ...]:
    """Return the options of another package's sink that may be secret: which ones are is not known here."""
    return tuple(value for value in options.values() if len(value) >= _SECRET_CHARACTERS)


def load_sink(plugin: str, options: Mapping[str, str]) -> Sink:
    """Return the sink that the entry point `plugin` makes of `options`.

    Raises `SettingsError`, which names the distribution and the remedy, and shows no option.
    """
    entry_point = _find(plugin)
    owner = _distribution(entry_point)
    origin = f"the sink {clean(entry_point.name)!r} of {owner}"
    try:
        sink: Sink = entry_point.load()(options)
        if not callable(getattr(sink, "send", None)):
            raise TypeError("it makes an object without a method send()")  # noqa: TRY301 - explained below
    except SettingsError as error:
        raise SettingsError([f"{origin}: {problem}" for problem in error.problems]) from error
    except (Exception, SystemExit) as error:  # another package's code may raise anything
        why = shown(f"{type(error).__name__}: {error}", secret_options(options))
        remedy = f"repair, update or remove {owner}, or take {clean(entry_point.name)!r} out of UPDATE_CHECK_SINKS"
        raise SettingsError([f"{origin} cannot be set up ({why}); {remedy}"]) from error
    return sink


def _find(plugin: str) -> "EntryPoint":
    from importlib.metadata import entry_points

    found = sorted(entry_points(group="mastodon_update_check.sinks", name=plugin), key=_distribution)
    if not found:  # removed since the settings were read
        raise SettingsError([f"no installed package has a sink {clean(plugin)!r}"])
    if len(found) > 1:
        owners = " and ".join(_distribution(entry_point) for entry_point in found)
        raise SettingsError([f"the sink {clean(plugin)!r} is offered by {owners}; remove all but one of them"])
    return found[0]


def _distribution(entry_point: "EntryPoint") -> str:
    return clean(entry_point.dist.name) if entry_point.dist else "an unknown distribution"
