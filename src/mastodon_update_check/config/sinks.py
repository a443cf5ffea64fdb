"""The sinks in use, and the options of each.

Sinks of other packages are looked up only when a setting refers to one, because that takes long.
"""

from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config import names
from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.kinds import choose
from mastodon_update_check.config.model import Settings, SinkSettings
from mastodon_update_check.config.smtp import smtp_options
from mastodon_update_check.config.sources import Sources
from mastodon_update_check.config.webhooks import read_webhooks
from mastodon_update_check.domain.recipients import Preference

ENTRY_POINTS: Final = "mastodon_update_check.sinks"
BUILT_IN: Final = ("apprise", "email", "log", "webhook")

_SINKS = "UPDATE_CHECK_SINKS"
_APPRISE = "UPDATE_CHECK_APPRISE_URL"
_NEEDS = {
    "email": ("SMTP_SERVER", "set it (localhost is the mail server of this host)"),
    "webhook": ("UPDATE_CHECK_WEBHOOK_URL", "set it"),
    "apprise": (_APPRISE, "set it"),
}
"""The variable without which a built-in sink cannot be used, and the remedy."""


def read_sinks(settings: Settings, sources: Sources, problems: Problems) -> tuple[SinkSettings, ...]:
    """Return the sinks in use, in the order in which they are listed."""
    proxies = _proxies(settings)
    email = SinkSettings(name="email", plugin="email", options=smtp_options(settings))
    ready: dict[str, tuple[SinkSettings, ...]] = {
        "log": (SinkSettings(name="log", plugin="log", preference=settings.log_preference),),
        "email": () if settings.smtp_server is None else (email,),
        "webhook": read_webhooks(sources.found, proxies, problems),
        "apprise": _read_apprise(settings, sources.found, proxies, problems),
    }
    foreign = [name for name in settings.listed_sinks or () if name not in BUILT_IN]
    installed = _installed() if foreign or names.strangers(sources.found) else {}
    _refuse_strangers(sources, [*installed, *foreign], problems)
    if settings.listed_sinks is None:
        return tuple(sink for sinks in ready.values() for sink in sinks)
    for number, name in enumerate(settings.listed_sinks, 1):
        if name in _NEEDS and not ready[name]:
            _refuse_unready(name, sources, problems)
        elif name not in installed and name not in BUILT_IN:
            problems.add(_SINKS, sources.found[_SINKS], _describe_unknown(number, name, installed))
        elif name in installed:
            variables = _variables_of(name, installed, sources.found)
            ready[name] = (_plugged_in(name, installed[name], variables, problems),)
    return tuple(sink for name in settings.listed_sinks for sink in ready.get(name, ()))


def _proxies(settings: Settings) -> dict[str, str]:
    """Return the proxies as options; those that are not set are not among them."""
    proxies = {"no_proxy": settings.no_proxy}
    if settings.https_proxy is not None:
        proxies["https_proxy"] = settings.https_proxy.get_secret_value()
    if settings.http_proxy is not None:
        proxies["http_proxy"] = settings.http_proxy.get_secret_value()
    return {name: value for name, value in proxies.items() if value}


def _read_apprise(
    settings: Settings, found: Layer, shared: Mapping[str, str], problems: Problems
) -> tuple[SinkSettings, ...]:
    """Return a sink for each space-separated URL, so that each is tried on its own: `apprise`, `apprise.2`."""
    urls = settings.apprise_url.get_secret_value().split() if settings.apprise_url else []
    if any("://" not in url for url in urls):
        problems.add(_APPRISE, found[_APPRISE], "expected space-separated URLs such as ntfys://ntfy.example/topic")
    if len(set(urls)) < len(urls):
        problems.add(_APPRISE, found[_APPRISE], "expected each URL once, got one of them twice")
    return tuple(
        SinkSettings(
            name="apprise" if number == 1 else f"apprise.{number}",
            plugin="apprise",
            preference=settings.apprise_preference,
            options=MappingProxyType({**shared, "url": url}),
        )
        for number, url in enumerate(urls, 1)
    )


def _installed() -> dict[str, str]:
    """Return the entry points of other packages' sinks, by their name in `UPDATE_CHECK_SINKS`."""
    found = entry_points(group=ENTRY_POINTS).names
    return {name.lower(): name for name in sorted(found) if name not in BUILT_IN}


def _refuse_strangers(sources: Sources, foreign: Collection[str], problems: Problems) -> None:
    """Add a problem for each variable that belongs to no sink of another package either."""
    for name, found in sources.strangers.items():
        if names.owner(name, foreign) is None:
            problems.add(name, found, names.describe_stranger(name, sources.found))


def _refuse_unready(sink: str, sources: Sources, problems: Problems) -> None:
    """Add a problem for a listed sink that lacks a variable; Mastodon's files may lack theirs."""
    variable, remedy = _NEEDS[sink]
    is_wrong = any(name == variable or (sink == "webhook" and names.is_webhook_url(name)) for name in problems.names)
    if is_wrong:
        return
    sentence = f"{sink} is listed, but {variable} is not set: {remedy}, or remove {sink} from the list"
    found = sources.found[_SINKS]
    if sink == "email" and sources.mastodon.is_foreign:
        problems.disable(variable, found.place, f"{_SINKS} in {found.place}: {sentence}")
    else:
        problems.add(_SINKS, found, sentence)


def _describe_unknown(number: int, name: str, installed: Iterable[str]) -> str:
    known = [*BUILT_IN, *installed]
    meant = names.nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"install its package, or choose from {', '.join(known)}"
    return f"entry {number} is not an installed sink: {hint}"


def _variables_of(sink: str, installed: Iterable[str], found: Layer) -> dict[str, Found]:
    return {name: found[name] for name in names.strangers(found) if names.owner(name, installed) == sink}


def _plugged_in(name: str, plugin: str, own: dict[str, Found], problems: Problems) -> SinkSettings:
    """Return the sink of another package: the rest of its variables' names, in lower case, are its options."""
    prefix = names.sink_prefix(name)
    preference = _preference(f"{prefix}PREFERENCE", own.pop(f"{prefix}PREFERENCE", None), problems)
    options = {each.removeprefix(prefix).lower(): value.text for each, value in own.items()}
    return SinkSettings(name=name, plugin=plugin, preference=preference, options=MappingProxyType(options))


def _preference(name: str, found: Found | None, problems: Problems) -> Preference:
    if found is not None:
        try:
            return choose(Preference)(found.text)
        except ValueError as error:
            problems.refuse(name, found, error, found.text)
    return Preference.ALL
