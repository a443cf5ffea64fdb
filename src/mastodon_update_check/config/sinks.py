"""Which sinks are used, and what each of them gets.

Sinks of other packages are looked for only when a setting hints at one: to look through what is installed takes long.
"""

from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config import names
from mastodon_update_check.config.apprise import URL, read_apprise
from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.kinds import choose
from mastodon_update_check.config.model import SinkSettings
from mastodon_update_check.config.smtp import smtp_options
from mastodon_update_check.config.sources import Sources
from mastodon_update_check.config.variables import Variables
from mastodon_update_check.config.webhooks import read_webhooks
from mastodon_update_check.domain.recipients import Preference

ENTRY_POINTS: Final = "mastodon_update_check.sinks"
BUILT_IN: Final = ("apprise", "email", "log", "webhook")

_SINKS = "UPDATE_CHECK_SINKS"


def read_sinks(variables: Variables, sources: Sources, problems: Problems) -> tuple[SinkSettings, ...]:
    """Return the sinks that are to be used, in the order in which they are listed."""
    proxies = _proxies(variables)
    webhooks = read_webhooks(sources.found, proxies, problems)
    apprise = read_apprise(variables, sources.found, proxies, problems)
    foreign = [name for name in variables.update_check_sinks or () if name not in BUILT_IN]
    installed = _installed() if foreign or names.strangers(sources.found) else {}
    _refuse_strangers(sources, [*installed, *foreign], problems)
    used = variables.update_check_sinks or _default(variables, webhooks, apprise)
    if variables.update_check_sinks is not None:
        _refuse_unready(used, installed, variables, sources.found, problems)
    log = SinkSettings(name="log", plugin="log", preference=variables.update_check_log_preference)
    email = SinkSettings(name="email", plugin="email", options=smtp_options(variables))
    built_in: dict[str, tuple[SinkSettings, ...]] = {
        "log": (log,),
        "email": (email,),
        "webhook": webhooks,
        "apprise": apprise,
    }
    plugged_in = {
        name: (_plugged_in(name, plugin, _variables_of(name, installed, sources.found), problems),)
        for name, plugin in installed.items()
        if name in foreign
    }
    return tuple(sink for name in used for sink in (built_in | plugged_in).get(name, ()))


def _default(
    variables: Variables, webhooks: Collection[SinkSettings], apprise: Collection[SinkSettings]
) -> tuple[str, ...]:
    ready = {
        "log": True,
        "email": variables.smtp_server is not None,
        "webhook": bool(webhooks),
        "apprise": bool(apprise),
    }
    return tuple(name for name, is_ready in ready.items() if is_ready)


def _proxies(variables: Variables) -> dict[str, str]:
    """Return the proxies as options; those that are not set are not among them."""
    proxies = {"no_proxy": variables.no_proxy}
    if variables.https_proxy is not None:
        proxies["https_proxy"] = variables.https_proxy.get_secret_value()
    if variables.http_proxy is not None:
        proxies["http_proxy"] = variables.http_proxy.get_secret_value()
    return {name: value for name, value in proxies.items() if value}


def _installed() -> dict[str, str]:
    """Return the entry points of other packages' sinks, by the name that `UPDATE_CHECK_SINKS` has for them."""
    found = entry_points(group=ENTRY_POINTS).names
    return {name.lower(): name for name in sorted(found) if name not in BUILT_IN}


def _refuse_strangers(sources: Sources, foreign: Collection[str], problems: Problems) -> None:
    """Add a problem for each variable that belongs to no sink of another package either."""
    for name, found in sources.strangers.items():
        if names.owner(name, foreign) is None:
            problems.add(name, found.place, names.defect(name, sources.found))


def _refuse_unready(
    used: Iterable[str], installed: Mapping[str, str], variables: Variables, found: Layer, problems: Problems
) -> None:
    """Add a problem for each listed sink that lacks something, or that nobody knows."""
    place = found[_SINKS].place
    has_webhook = any(map(names.is_webhook_url, {*found, *problems.names}))
    for number, name in enumerate(used, 1):
        if name == "email" and variables.smtp_server is None and "SMTP_SERVER" not in problems.names:
            remedy = "set it (localhost is the mail server of this host), or remove email from the list"
            problems.add(_SINKS, place, f"lists email, but SMTP_SERVER is not set: {remedy}")
        elif name == "webhook" and not has_webhook:
            remedy = "set it, or remove webhook from the list"
            problems.add(_SINKS, place, f"lists webhook, but UPDATE_CHECK_WEBHOOK_URL is not set: {remedy}")
        elif name == "apprise" and URL not in found and URL not in problems.names:
            problems.add(_SINKS, place, f"lists apprise, but {URL} is not set: set it, or remove apprise from the list")
        elif name not in installed and name not in BUILT_IN:
            problems.add(_SINKS, place, _unknown(number, name, installed))


def _unknown(number: int, name: str, installed: Iterable[str]) -> str:
    known = [*BUILT_IN, *installed]
    meant = names.nearest(name, known)
    hint = f"did you mean {meant}" if meant else f"install its package, or choose from {', '.join(known)}"
    return f"lists as number {number} a sink that is not installed: {hint}{'?' if meant else ''}"


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
            problems.add(name, found.place, str(error))
    return Preference.ALL
