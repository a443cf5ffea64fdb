"""The settings as the rest of the program sees them: complete, consistent, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from mastodon_update_check.config.defaults import UPDATE_SERVER
from mastodon_update_check.config.found import Disabled, Feature
from mastodon_update_check.config.variables import Parsed, Variables
from mastodon_update_check.domain.recipients import Preference

AsItIs = Parsed(lambda value: value)
_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """One sink in use."""

    name: str
    """`email`, `log`, `webhook`, `webhook.ops` for `UPDATE_CHECK_WEBHOOK_OPS_URL`, or that of another package."""
    plugin: str
    """The entry point that creates it: `webhook` for every webhook."""
    preference: Preference = Preference.ALL
    """Always all for `email`, whose recipients have preferences of their own."""
    options: Mapping[str, str] = field(default_factory=lambda: _EMPTY, repr=False)
    """The argument of its factory; a name that is not set is not in it."""


class Settings(Variables):
    """Every variable, the sinks in use, and where all of it comes from. Secrets never show in its `repr`."""

    sinks: Annotated[tuple[SinkSettings, ...], AsItIs] = ()
    version_environment: Annotated[Mapping[str, str], AsItIs] = Field(default_factory=lambda: _EMPTY)
    """The `MASTODON_VERSION_…` variables, which are parts of the version."""
    config_file: Annotated[Path | None, AsItIs] = None
    """Our own file, if it was read; the null device is not a file."""
    mastodon_files: Annotated[tuple[Path, ...], AsItIs] = ()
    """Mastodon's files that were read, in the order of precedence."""
    mastodon_check_is_off: Annotated[bool, AsItIs] = False
    """Whether Mastodon's files disable the check that is built into Mastodon."""
    origins: Annotated[Mapping[str, str], AsItIs] = Field(default_factory=lambda: _EMPTY)
    """Where each variable that is set stands, by its name."""
    shown: Annotated[Mapping[str, str], AsItIs] = Field(default_factory=lambda: _EMPTY, repr=False)
    """The values of these variables, fit to be shown: secrets, and what may hold one, are hidden."""
    foreign: Annotated[frozenset[str], AsItIs] = frozenset()
    """The variables that come from Mastodon's files, which belong to another user."""
    disabled: Annotated[tuple[Disabled, ...], AsItIs] = ()
    """What unusable values of Mastodon's files disable."""
    warnings: Annotated[tuple[str, ...], AsItIs] = ()
    """What is probably a mistake, although every value can be used."""

    @property
    def off_reason(self) -> str:
        """Why checking is off; empty when it is on."""
        if self.self_destruct:
            return "SELF_DESTRUCT is set"
        return "UPDATE_CHECK_URL is blank" if self.url is None else ""

    @property
    def instance(self) -> str:
        """`LOCAL_DOMAIN` in lower case; `localhost` when it is not set."""
        return self.local_domain or "localhost"

    @property
    def instance_is_assumed(self) -> bool:
        """Whether `LOCAL_DOMAIN` is not set."""
        return self.local_domain is None

    @property
    def devops(self) -> bool:
        """Whether Mastodon's DevOps users get mail."""
        return self.recipients.devops

    @property
    def addresses(self) -> tuple[tuple[str, Preference], ...]:
        """The configured mail recipients."""
        return self.recipients.addresses

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The names of the configured sinks."""
        return tuple(sink.name for sink in self.sinks)

    @property
    def update_server_warning(self) -> str:
        """A warning when Mastodon's user chose the update server, which decides what is announced; otherwise empty."""
        name = "UPDATE_CHECK_URL"
        if name not in self.foreign or self.url in {None, UPDATE_SERVER}:
            return ""
        host, place = urlsplit(self.url or "").hostname, self.origins[name]
        return f"{name} in {place}: {host} is not the official update server: name it in our own file to confirm"

    def disables(self, feature: Feature) -> tuple[Disabled, ...]:
        """Return why Mastodon's files disable a feature; nothing while they do not."""
        return tuple(disabled for disabled in self.disabled if disabled.feature is feature)

    def for_instance(self, instance: str) -> "Settings":
        """Return the same settings for the instance that the ledger knows, with a warning."""
        web_domain = self.web_domain if "WEB_DOMAIN" in self.origins else instance
        url = self.instance_url if "UPDATE_CHECK_INSTANCE_URL" in self.origins else f"https://{web_domain}"
        given = f"{self.local_domain} in {self.origins['LOCAL_DOMAIN']}" if self.local_domain else "not set"
        warning = f"LOCAL_DOMAIN is {given}: the instance of the ledger, {instance}, is used"
        changed = {"local_domain": instance, "web_domain": web_domain, "instance_url": url}
        return self.model_copy(update={**changed, "warnings": (*self.warnings, warning)})
