"""The settings: every variable with its kind and its default, the sinks in use, and where all of it comes from.

`Settings` is the one table of variables: the sources, the checks and the documents read names and kinds from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from mastodon_update_check.config import kinds
from mastodon_update_check.config import recipients as lists
from mastodon_update_check.domain.recipients import FollowUps, Preference
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.urls import parse_proxy, parse_url
from mastodon_update_check.domain.versions import MastodonVersion

_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
UPDATE_SERVER: Final = "https://api.joinmastodon.org/update-check"
CONFIG_FILE: Final = Path("/etc/mastodon-update-check/config.env")
MASTODON_ROOT: Final = Path("/home/mastodon/live")
MASTODON_FILES: Final = (".env.production.local", ".env.local", ".env.production", ".env")
"""The files that Rails loads from Mastodon's root in production, in its order: the first that sets a name wins."""
BLANK_COUNTS: Final = frozenset({"UPDATE_CHECK_URL", "UPDATE_CHECK_INSTANCE_URL", "DB_HOST", "DB_NAME", "DB_USER"})
"""Blank, the URLs mean off, and the database's variables mean the defaults of libpq: its socket, for example.

All other blank variables count as not set.
"""

EMAIL: Final = "email"
RECIPIENTS: Final = "the recipient lookup"

_OTHER_NAMES = {
    "listed_sinks": "UPDATE_CHECK_SINKS",
    "mastodon_database_url": "DATABASE_URL",
    **{name: name for name in ("https_proxy", "http_proxy", "no_proxy")},
}
_AS_IN_MASTODON = ("smtp_", "db_", "local_domain", "web_domain", "self_destruct")
_EMPTY: Mapping[str, str] = MappingProxyType({})

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """Something that a value of Mastodon's files disables, because the value cannot be used."""

    feature: str
    problem: str
    """The whole sentence without its full stop: variable, place, what was expected and what was found."""

    def __str__(self) -> str:
        return f"{self.feature} is disabled: {self.problem}"


def variable(parse: Callable[[str], Value], default: Default, *, is_shown: bool = True) -> Value | Default:
    """Return a field for a variable; `parse` returns its value, or raises `ValueError` with the expectation."""
    return field(default=default, repr=is_shown, metadata={"parse": parse})


def secret(parse: Callable[[str], str] = kinds.parse_secret, default: str | None = None) -> str | None:
    """Return a field for a variable that may be given in a file of its own, or as a credential."""
    return field(default=default, repr=False, metadata={"parse": parse, "is_secret": True})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Complete, consistent, immutable. Secrets never show in its `repr`."""

    config: Path | None = variable(kinds.parse_path, None)
    self_destruct: bool = variable(lambda _: True, False)  # noqa: FBT003 - the default
    url: str | None = variable(kinds.parse_url_or_blank, UPDATE_SERVER, is_shown=False)
    """The update server; None when it is blank."""
    interval: timedelta = variable(kinds.parse_duration, timedelta(minutes=30))
    jitter: timedelta = variable(kinds.parse_duration, timedelta(seconds=60))
    """Spread of each check, centred; never longer than `interval`."""
    mastodon_root: Path = variable(kinds.parse_path, MASTODON_ROOT)
    mastodon_env_file: Path | None = variable(kinds.parse_path, None)
    mastodon_version: MastodonVersion | None = variable(kinds.parse_version, None)
    """Used instead of reading or asking."""
    local_domain: str | None = variable(kinds.parse_domain, None)
    web_domain: str = variable(kinds.parse_domain, "localhost")
    instance_url: str | None = variable(kinds.parse_url_or_blank, None, is_shown=False)
    """Where to ask which version is running; None: do not ask."""
    database_url: str | None = secret()
    recipients: lists.Recipients = variable(lists.parse_recipients, lists.Recipients())
    operator: tuple[str, ...] = variable(lists.parse_addresses, (), is_shown=False)
    """Recipients of notices about this tool itself; empty: the mail recipients."""
    listed_sinks: tuple[str, ...] | None = variable(lists.parse_sinks, None)
    ledger: str = variable(kinds.parse_ledger, "", is_shown=False)
    log_preference: Preference = variable(kinds.choose(Preference), Preference.ALL)
    apprise_url: str | None = secret()
    apprise_preference: Preference = variable(kinds.choose(Preference), Preference.ALL)
    heartbeat_url: str | None = secret(parse_url)
    metrics_file: Path | None = variable(kinds.parse_path, None)
    page_file: Path | None = variable(kinds.parse_path, None)
    release_details: str = variable(kinds.parse_release_details, "")
    """The URL template, with `{version}`, of the source tree of a release; empty: release details are off."""
    reminders: FollowUps = variable(kinds.choose(FollowUps), FollowUps.URGENT)
    closure: FollowUps = variable(kinds.choose(FollowUps), FollowUps.URGENT)
    install_kind: InstallKind | None = variable(kinds.choose(InstallKind), None)
    log_level: str = variable(kinds.words("debug", "info", "warning", "error", "critical"), "info")
    log_format: str = variable(kinds.words("auto", "console", "json"), "auto")
    """`auto` is `console` on a terminal, else `json`."""

    https_proxy: str | None = secret(parse_proxy)
    http_proxy: str | None = secret(parse_proxy)
    no_proxy: str = variable(kinds.parse_text, "")

    smtp_server: str | None = variable(kinds.parse_host, None)
    smtp_port: int = variable(kinds.parse_port, 25)
    smtp_login: str | None = secret()
    smtp_password: str | None = secret()
    smtp_domain: str = variable(kinds.parse_host, "localhost")
    smtp_from_address: str = variable(lists.parse_mailbox, "notifications@localhost")
    smtp_reply_to: str | None = variable(lists.parse_mailbox, None)
    smtp_return_path: str | None = variable(lists.parse_mailbox, None)
    smtp_auth_method: str = variable(kinds.words("plain", "login", "cram_md5", "none"), "plain")
    smtp_ca_file: Path | None = variable(kinds.parse_path, None)
    smtp_openssl_verify_mode: str = variable(kinds.words("none", "peer", "client_once", "fail_if_no_peer_cert"), "peer")
    """All but `none` verify the server's certificate: the others differ for servers only."""
    smtp_enable_starttls: str | None = variable(kinds.parse_text, None)
    smtp_enable_starttls_auto: str | None = variable(kinds.parse_text, None)
    smtp_tls: str | None = variable(kinds.parse_text, None)
    smtp_ssl: str | None = variable(kinds.parse_text, None)
    smtp_delivery_method: str = variable(kinds.require_smtp, "smtp")

    mastodon_database_url: str | None = secret()
    db_host: str = variable(kinds.parse_text, "localhost")
    db_port: int = variable(kinds.parse_port, 5432)
    db_name: str = variable(kinds.parse_text, "mastodon_production")
    db_user: str = variable(kinds.parse_text, "mastodon")
    db_pass: str | None = secret()
    db_sslmode: str = variable(kinds.words(*_SSL_MODES), "prefer")

    sinks: tuple[SinkSettings, ...] = ()
    version_environment: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    config_file: Path | None = None
    """Our own file, if it was read; the null device is not a file."""
    mastodon_files: tuple[Path, ...] = ()
    mastodon_check_is_off: bool = False
    """Whether Mastodon's files disable the check that is built into Mastodon."""
    origins: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    shown: Mapping[str, str] = field(default_factory=lambda: _EMPTY, repr=False)
    """The values of these variables, fit to be shown: secrets, and what may hold one, are hidden."""
    foreign: frozenset[str] = frozenset()
    """The variables that come from Mastodon's files, which belong to another user."""
    disabled: tuple[Disabled, ...] = ()
    warnings: tuple[str, ...] = ()

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

    def disables(self, feature: str) -> tuple[Disabled, ...]:
        """Return why Mastodon's files disable a feature; nothing while they do not."""
        return tuple(disabled for disabled in self.disabled if disabled.feature == feature)

    def for_instance(self, instance: str) -> "Settings":
        """Return the same settings for the instance that the ledger knows, with a warning."""
        web_domain = self.web_domain if "WEB_DOMAIN" in self.origins else instance
        url = self.instance_url if "UPDATE_CHECK_INSTANCE_URL" in self.origins else f"https://{web_domain}"
        given = f"{self.local_domain} in {self.origins['LOCAL_DOMAIN']}" if self.local_domain else "not set"
        warning = f"LOCAL_DOMAIN is {given}: the instance of the ledger, {instance}, is used"
        changed = replace(self, local_domain=instance, web_domain=web_domain, instance_url=url)
        return replace(changed, warnings=(*self.warnings, warning))


def _variable_name(field_name: str) -> str:
    if field_name in _OTHER_NAMES:
        return _OTHER_NAMES[field_name]
    return f"{'' if field_name.startswith(_AS_IN_MASTODON) else 'update_check_'}{field_name}".upper()


VARIABLES: Final[Mapping[str, "Field[Any]"]] = {
    _variable_name(each.name): each for each in fields(Settings) if "parse" in each.metadata
}
"""Every variable with a fixed name; webhooks and the sinks of other packages have names of their own."""

SECRETS: Final = {"UPDATE_CHECK_LEDGER"} | {name for name, each in VARIABLES.items() if "is_secret" in each.metadata}
