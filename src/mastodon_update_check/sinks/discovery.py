"""Discovery of sinks: entry points of one group, ours among them; only the requested one is loaded."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import SettingsError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.sinks.base import ENTRY_POINTS, Sink, secret_options


def load_sink(plugin: str, options: Mapping[str, str]) -> Sink:
    """Return the sink that the entry point `plugin` makes of `options`.

    Raises `SettingsError`, which names the distribution and the remedy, and shows no option.
    """
    entry_point = _find(plugin)
    owner = _distribution(entry_point)
    origin = f"the sink {clean(entry_point.name)!r} of {owner}"
    try:
        return _make(entry_point, options)
    except SettingsError as error:
        raise SettingsError([f"{origin}: {problem}" for problem in error.problems]) from error
    except (Exception, SystemExit) as error:  # another package's code may raise anything
        why = shown(f"{type(error).__name__}: {error}", secret_options(options))
        remedy = f"repair, update or remove {owner}, or take {clean(entry_point.name)!r} out of UPDATE_CHECK_SINKS"
        raise SettingsError([f"{origin} cannot be set up ({why}); {remedy}"]) from error


def _make(entry_point: EntryPoint, options: Mapping[str, str]) -> Sink:
    factory: Callable[[Mapping[str, str]], Sink] = entry_point.load()
    sink = factory(options)
    if not callable(getattr(sink, "send", None)):
        raise TypeError("it makes an object without a method send()")
    return sink


def _find(plugin: str) -> EntryPoint:
    known = entry_points(group=ENTRY_POINTS)
    found = sorted((entry_point for entry_point in known if entry_point.name == plugin), key=_distribution)
    if not found:
        names = ", ".join(sorted({clean(entry_point.name) for entry_point in known}))
        raise SettingsError([f"there is no sink {clean(plugin)!r}; known: {names or 'none'}"])
    if len(found) > 1:
        owners = " and ".join(_distribution(entry_point) for entry_point in found)
        raise SettingsError([f"the sink {clean(plugin)!r} is offered by {owners}; remove all but one of them"])
    return found[0]


def _distribution(entry_point: EntryPoint) -> str:
    return clean(entry_point.dist.name) if entry_point.dist else "an unknown distribution"
