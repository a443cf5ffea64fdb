"""The sinks in use, and the options of each.

Sinks of other packages are looked up only when a setting refers to one, because that takes long.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config import variables
from mastodon_update_check.config.kinds import choose, parse_boolean, parse_signing_keys
from mastodon_update_check.config.settings import Settings, SinkSettings
from mastodon_update_check.config.sources import Sources
from mastodon_update_check.config.variables import Found, Layer, Problems
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.urls import parse_url

_ENTRY_POINTS: Final = "mastodon_update_check.sinks"
BUILT_IN: Final = ("apprise", "email", "log", "webhook")

_SINKS = "UPDATE_CHECK_SINKS"
_APPRISE = "UPDATE_CHECK_APPRISE_URL"
_NEEDS = {
    "email": ("SMTP_SERVER", "set it (localhost is the mail server of this host)"),
    "webhook": ("UPDATE_CHECK_WEBHOOK_URL", "set it"),
    "apprise": (_APPRISE, "set it"),
}
_PREFERENCE = choose(Preference)
_WEBHOOK: Final[Mapping[str, Callable[[str], str]]] = {
    "URL": parse_url,
    "SECRET": parse_signing_keys,
    "PREFERENCE": _PREFERENCE,
    "NAMES": lambda text: str(parse_boolean(text)).lower(),
}
_SMTP: Final = (
    *("server", "port", "login", "password", "domain", "from_address", "reply_to", "return_path", "auth_method"),
    "ca_file",
)
_STARTTLS = frozenset({"always", "never", "auto"})


def read_sinks(settings: Settings, sources: Sources, problems: Problems) -> tuple[SinkSettings, ...]:
    """Return the sinks in use, in the order in which they are listed."""
    found, listed = sources.found, settings.listed_sinks
    proxies = {"no_proxy": settings.no_proxy, "https_proxy": settings.https_proxy, "http_proxy": settings.http_proxy}
    shared = {name: value for name, value in proxies.items() if value}
    email = SinkSettings(name="email", plugin="email", options=_smtp_options(settings))
    ready: dict[str, tuple[SinkSettings, ...]] = {
        "log": (SinkSettings(name="log", plugin="log", preference=settings.log_preference),),
        "email": () if settings.smtp_server is None else (email,),
        "webhook": tuple(_read_webhooks(found, shared, problems)),
        "apprise": tuple(_read_apprise(settings, found, shared, problems)),
    }
    foreign = set(listed or ()) - set(BUILT_IN)
    installed = _installed() if foreign or variables.strangers(found) else {}
    for name, stranger in sources.strangers.items():
        if variables.owner(name, [*installed, *foreign]) is None:
            problems.add(name, stranger, variables.describe_stranger(name, found))
    if listed is None:
        return tuple(sink for sinks in ready.values() for sink in sinks)
    for number, name in enumerate(listed, 1):
        if name in _NEEDS and not ready[name]:
            _refuse_unready(name, sources, problems)
        elif name in installed:
            ready[name] = (_plugged_in(name, installed, found, problems),)
        elif name not in BUILT_IN:
            problems.add(_SINKS, found[_SINKS], _describe_unknown(number, name, installed))
    return tuple(sink for name in listed for sink in ready.get(name, ()))


def _smtp_options(settings: Settings) -> Mapping[str, str]:
    """Return the options of the email sink; with `tls` (from the first byte), `starttls` has no meaning."""
    options = {name: getattr(settings, f"smtp_{name}") for name in _SMTP} | {
        "openssl_verify_mode": "none" if settings.smtp_openssl_verify_mode == "none" else "peer",
        "starttls": find_starttls(settings),
        "tls": "true" if "true" in {settings.smtp_tls, settings.smtp_ssl} else "false",
    }
    return MappingProxyType({name: str(value) for name, value in options.items() if value is not None})


def find_starttls(settings: Settings) -> str:
    """Return when STARTTLS is used; a word that Mastodon does not know counts as not set, as it does there."""
    if settings.smtp_enable_starttls in _STARTTLS:
        return settings.smtp_enable_starttls
    return "never" if settings.smtp_enable_starttls_auto == "false" else "auto"


def _read_webhooks(found: Layer, shared: Mapping[str, str], problems: Problems) -> Iterable[SinkSettings]:
    """Yield every webhook that has a URL, in the order of their names; `shared` are options of all of them."""
    groups: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for variable in found:
        if (parts := variables.webhook_name(variable)) is not None:
            groups[parts[0]][parts[1]] = variable
    users: dict[str, str] = {}
    for webhook, group in sorted(groups.items()):
        values = {}
        for key, variable in group.items():
            with problems.parsing(variable, found[variable]):
                values[key.lower()] = _WEBHOOK[key](found[variable].text)
            if "URL" not in group and f"{webhook}_URL" not in problems.names:
                problems.add(variable, found[variable], f"the webhook has no URL: set {webhook}_URL, or remove this")
        if "url" not in values:
            continue
        first = users.setdefault(values["url"], group["URL"])
        if first != group["URL"]:
            problems.add(group["URL"], found[group["URL"]], f"expected a URL of its own, got the one of {first}")
        preference = Preference(values.pop("preference", Preference.ALL))
        options = MappingProxyType({**shared, "names": "false", **values})
        name = webhook.removeprefix("UPDATE_CHECK_").lower().replace("_", ".", 1)
        yield SinkSettings(name=name, plugin="webhook", preference=preference, options=options)


def _read_apprise(
    settings: Settings, found: Layer, shared: Mapping[str, str], problems: Problems
) -> Iterable[SinkSettings]:
    """Yield a sink for each space-separated URL, so that each is tried on its own: `apprise`, `apprise.2`."""
    urls = (settings.apprise_url or "").split()
    if any("://" not in url for url in urls):
        problems.add(_APPRISE, found[_APPRISE], "expected space-separated URLs such as ntfys://ntfy.example/topic")
    if len(set(urls)) < len(urls):
        problems.add(_APPRISE, found[_APPRISE], "expected each URL once, got one of them twice")
    for number, url in enumerate(urls, 1):
        name = "apprise" if number == 1 else f"apprise.{number}"
        options = MappingProxyType({**shared, "url": url})
        yield SinkSettings(name=name, plugin="apprise", preference=settings.apprise_preference, options=options)


def _installed() -> dict[str, str]:
    """Return the entry points of other packages' sinks, by their name in `UPDATE_CHECK_SINKS`."""
    from importlib.metadata import entry_points

    found = entry_points(group=_ENTRY_POINTS).names
    return {name.lower(): name for name in sorted(found) if name not in BUILT_IN}


def _refuse_unready(sink: str, sources: Sources, problems: Problems) -> None:
    variable, remedy = _NEEDS[sink]
    wrong, urls = problems.names, [name for name in problems.names if name.endswith("_URL")]
    if variable in wrong or (sink == "webhook" and any(variables.webhook_name(each) for each in urls)):
        return
    sentence = f"{sink} is listed, but {variable} is not set: {remedy}, or remove {sink} from the list"
    found = sources.found[_SINKS]
    if sink == "email" and sources.is_foreign:
        problems.disable(variable, f"{_SINKS} in {found.place}: {sentence}")
    else:
        problems.add(_SINKS, found, sentence)


def _describe_unknown(number: int, name: str, installed: Iterable[str]) -> str:
    known = [*BUILT_IN, *installed]
    meant = variables.nearest(name, known)
    hint = f"did you mean {meant}?" if meant else f"install its package, or choose from {', '.join(known)}"
    return f"entry {number} is not an installed sink: {hint}"


def _plugged_in(name: str, installed: Mapping[str, str], found: Layer, problems: Problems) -> SinkSettings:
    """Return the sink of another package: the rest of its variables' names, in lower case, are its options."""
    own: dict[str, Found] = {
        each.removeprefix(variables.sink_prefix(name)).lower(): found[each]
        for each in variables.strangers(found)
        if variables.owner(each, installed) == name
    }
    preference = Preference.ALL
    if (given := own.pop("preference", None)) is not None:
        with problems.parsing(f"{variables.sink_prefix(name)}PREFERENCE", given):
            preference = _PREFERENCE(given.text)
    options = MappingProxyType({key: value.text for key, value in own.items()})
    return SinkSettings(name=name, plugin=installed[name], preference=preference, options=options)
