"""The settings as the rest of the program sees them: complete, consistent, immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from mastodon_update_check.config.choices import LogFormat, LogLevel, SslMode
from mastodon_update_check.domain.recipients import FollowUps, Preference
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """One sink that is to be used."""

    name: str
    """`email`, `log`, `webhook`, `webhook.ops` for `UPDATE_CHECK_WEBHOOK_OPS_URL`, or that of another package."""
    plugin: str
    """The entry point that makes it: `webhook` for every webhook."""
    preference: Preference = Preference.ALL
    """What it is told; always all for `email`, whose recipients have preferences of their own."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """What its factory gets; a name that is not set is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of DESIGN.md, section 4, with the defaults filled in. Secrets never show in its `repr`."""

    url: str | None = field(repr=False)
    """The update server; None when checking is off."""
    off_reason: str
    """Why checking is off; empty when it is on."""
    mastodon_check_is_off: bool
    """Whether Mastodon's file silences the check that is built into Mastodon."""
    interval: timedelta
    jitter: timedelta
    """Spread of each check, centred; never longer than `interval`."""

    mastodon_root: Path
    mastodon_env_file: Path | None
    """Mastodon's file, if it was read."""
    config_file: Path | None
    """Our own file, if it was read."""
    mastodon_version: MastodonVersion | None
    """Used instead of reading or asking."""
    version_environment: Mapping[str, str]
    """The `MASTODON_VERSION_…` variables, which are parts of the version."""

    instance: str
    """`LOCAL_DOMAIN` in lower case; `localhost` when it is set nowhere."""
    instance_is_assumed: bool
    web_domain: str
    instance_url: str | None = field(repr=False)
    """Where to ask which version is running; None: do not ask."""

    database_url: SecretStr | None
    """Any libpq connection string."""
    mastodon_database_url: SecretStr | None
    """`DATABASE_URL`."""
    db_host: str
    db_port: int
    db_name: str
    db_user: str
    db_pass: SecretStr | None
    db_sslmode: SslMode

    devops: bool
    """Whether Mastodon's DevOps users are told."""
    addresses: tuple[tuple[str, Preference], ...] = field(repr=False)
    """Who else is told by mail."""
    operator: tuple[str, ...] = field(repr=False)
    """Who gets notices about this tool itself; empty: the mail recipients."""
    sinks: tuple[SinkSettings, ...]
    ledger: str = field(repr=False)
    """A path, or a `postgresql://` URL."""

    https_proxy: SecretStr | None
    http_proxy: SecretStr | None
    no_proxy: str
    heartbeat_url: SecretStr | None
    metrics_file: Path | None
    page_file: Path | None
    """The status page; None: no page."""
    release_details: str
    """The URL template, with `{version}`, of the source tree of a release; empty: release details are off."""
    reminders: FollowUps
    closure: FollowUps
    install_kind: InstallKind | None
    """None: to be detected."""
    log_level: LogLevel
    log_format: LogFormat

    origins: Mapping[str, str]
    """Where each variable that is set stands, by its name."""
    shown: Mapping[str, str] = field(repr=False)
    """What each of them says, fit to be shown: secrets, and what may hold one, are hidden."""

    def describe_plans(self) -> str:
        """Return everything that decides what is planned for whom; it holds secrets, so only a hash of it is kept.

        Nodes that agree in it leave their checks to one of them. Where to ask may differ from node to node.
        """
        heartbeat = self.heartbeat_url.get_secret_value() if self.heartbeat_url else ""
        sinks = sorted((sink.name, sink.plugin, sink.preference, sorted(sink.options.items())) for sink in self.sinks)
        said = (self.url, self.interval, self.jitter, heartbeat, self.devops, self.addresses, self.operator, sinks)
        return repr((said, self.reminders, self.closure))

    @property
    def sink_names(self) -> tuple[str, ...]:
        """The names of the configured sinks."""
        return tuple(sink.name for sink in self.sinks)
