"""The webhooks: groups of variables, one group for each."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.kinds import choose, parse_boolean, parse_signing_keys
from mastodon_update_check.config.model import SinkSettings
from mastodon_update_check.config.names import WebhookName, shown, webhook_name
from mastodon_update_check.domain.recipients import Preference
from mastodon_update_check.domain.urls import parse_url

_PREFERENCE = choose(Preference)
_PARSERS: Final[Mapping[str, Callable[[str], str]]] = {
    "URL": parse_url,
    "SECRET": parse_signing_keys,
    "PREFERENCE": lambda text: _PREFERENCE(text).value,
    "NAMES": lambda text: str(parse_boolean(text)).lower(),
}


def read_webhooks(found: Layer, shared: Mapping[str, str], problems: Problems) -> tuple[SinkSettings, ...]:
    """Return every webhook that has a URL, in the order of their names; `shared` are options of all of them."""
    groups: defaultdict[str, dict[str, Found]] = defaultdict(dict)
    for variable, value in found.items():
        if (parts := webhook_name(variable)) is not None:
            groups[parts.webhook][parts.key] = value
    users: dict[str, str] = {}
    sinks = []
    for webhook, group in sorted(groups.items()):
        values = _parse(webhook, group, problems)
        if "url" not in values:
            continue
        variable = WebhookName(webhook, "URL").variable
        first = users.setdefault(values["url"], variable)
        if first != variable:
            problems.add(variable, group["URL"], f"expected a URL of its own, got the one of {first}")
        preference = Preference(values.pop("preference", Preference.ALL))
        options = MappingProxyType({**shared, "names": "false", **values})
        name = f"webhook.{webhook.lower()}" if webhook else "webhook"
        sinks.append(SinkSettings(name=name, plugin="webhook", preference=preference, options=options))
    return tuple(sinks)


def _parse(webhook: str, group: Layer, problems: Problems) -> dict[str, str]:
    """Return the usable values of one webhook, by their keys in lower case."""
    values = {}
    url = WebhookName(webhook, "URL").variable
    for key, found in group.items():
        variable = WebhookName(webhook, key).variable
        try:
            values[key.lower()] = _PARSERS[key](found.text)
        except ValueError as error:
            problems.refuse(variable, found, error, shown(variable, found.text))
        if "URL" not in group and url not in problems.names:
            problems.add(variable, found, f"the webhook has no URL: set {url}, or remove this")
    return values
