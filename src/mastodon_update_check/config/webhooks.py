"""The webhooks: groups of variables, one group for each."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from mastodon_update_check.config import kinds
from mastodon_update_check.config.found import HIDDEN, Found, Layer, Problems
from mastodon_update_check.config.model import SinkSettings
from mastodon_update_check.config.names import WebhookName, shown, webhook_name
from mastodon_update_check.config.variables import AnyPreference, Parsed
from mastodon_update_check.domain import urls
from mastodon_update_check.domain.recipients import Preference


class _Webhook(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, hide_input_in_errors=True)

    url: Annotated[SecretStr, Parsed(lambda text: SecretStr(urls.parse_url(text)))]
    secret: Annotated[SecretStr | None, Parsed(kinds.parse_signing_keys)] = None
    preference: AnyPreference = Preference.ALL
    names: Annotated[bool, Parsed(kinds.parse_boolean)] = False


def read_webhooks(found: Layer, shared: Mapping[str, str], problems: Problems) -> tuple[SinkSettings, ...]:
    """Return every webhook that has a URL, in the order of their names; `shared` are options of all of them."""
    groups: defaultdict[str, dict[str, Found]] = defaultdict(dict)
    for variable, value in found.items():
        if (name := webhook_name(variable)) is not None:
            groups[name.webhook][name.key] = value
    read = ((webhook, _read(webhook, groups[webhook], problems)) for webhook in sorted(groups))
    webhooks = {webhook: values for webhook, values in read if values is not None}
    _refuse_same_url(webhooks, groups, problems)
    return tuple(_sink(webhook, values, shared) for webhook, values in webhooks.items())


def _read(webhook: str, group: Layer, problems: Problems) -> _Webhook | None:
    try:
        return _Webhook.model_validate({key.lower(): value.text for key, value in group.items()})
    except ValidationError as error:
        defects = {str(each["loc"][0]).upper(): each.get("ctx", {}) for each in error.errors()}
    url = WebhookName(webhook, "URL").variable
    for key, value in group.items():
        variable = WebhookName(webhook, key).variable
        if key in defects:
            is_hidden = key in {"URL", "SECRET"}
            problems.refuse(
                variable, value, defects[key]["error"], HIDDEN if is_hidden else shown(variable, value.text)
            )
        if "URL" not in group and url not in problems.names:
            problems.add(variable, value, f"the webhook has no URL: set {url}, or remove this")
    return None


def _refuse_same_url(webhooks: Mapping[str, _Webhook], groups: Mapping[str, Layer], problems: Problems) -> None:
    users: dict[str, str] = {}
    for webhook, values in webhooks.items():
        variable = WebhookName(webhook, "URL").variable
        first = users.setdefault(values.url.get_secret_value(), variable)
        if first != variable:
            problems.add(variable, groups[webhook]["URL"], f"expected a URL of its own, got the one of {first}")


def _sink(webhook: str, values: _Webhook, shared: Mapping[str, str]) -> SinkSettings:
    options = {**shared, "url": values.url.get_secret_value(), "names": str(values.names).lower()}
    if values.secret is not None:
        options["secret"] = values.secret.get_secret_value()
    name = f"webhook.{webhook.lower()}" if webhook else "webhook"
    return SinkSettings(name=name, plugin="webhook", preference=values.preference, options=MappingProxyType(options))
