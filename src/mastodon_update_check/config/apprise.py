"""The Apprise sinks: one for each URL, so that each is told and tried on its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mastodon_update_check.config.found import Layer, Problems
from mastodon_update_check.config.model import SinkSettings
from mastodon_update_check.config.variables import Variables

URL: Final = "UPDATE_CHECK_APPRISE_URL"


def read_apprise(
    variables: Variables, found: Layer, shared: Mapping[str, str], problems: Problems
) -> tuple[SinkSettings, ...]:
    """Return a sink for each URL of a list with blanks: `apprise`, `apprise.2`, …; `shared` are options of all."""
    secret = variables.update_check_apprise_url
    urls = secret.get_secret_value().split() if secret else []
    if any("://" not in url for url in urls):
        problems.add(URL, found[URL].place, "is not an Apprise URL: one such as ntfys://ntfy.example/topic is allowed")
    if len(set(urls)) < len(urls):
        problems.add(URL, found[URL].place, "lists a URL twice: each place needs one")
    return tuple(
        SinkSettings(
            name="apprise" if number == 1 else f"apprise.{number}",
            plugin="apprise",
            preference=variables.update_check_apprise_preference,
            options=MappingProxyType({**shared, "url": url}),
        )
        for number, url in enumerate(urls, 1)
    )
