"""The variables of DESIGN.md, section 4, each with its kind and default; what depends on another is for later.

The order of the sources is kept by pydantic-settings: each is one `PydanticBaseSettingsSource`, and the first one that
has a variable wins. A variable whose value is blank counts as not set, and hides those of later sources all the same.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mastodon_update_check.config import choices, hosts, kinds, recipients
from mastodon_update_check.config.found import Found, Layer, Problems
from mastodon_update_check.config.parsed import Parsed
from mastodon_update_check.domain import urls
from mastodon_update_check.domain.recipients import FollowUps, Preference
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion

UPDATE_SERVER: Final = "https://api.joinmastodon.org/update-check"
CONFIG_FILE: Final = Path("/etc/mastodon-update-check/config.env")
MASTODON_ROOT: Final = Path("/home/mastodon/live")

BLANK_MEANS_OFF: Final = frozenset({"UPDATE_CHECK_URL", "UPDATE_CHECK_INSTANCE_URL"})
"""The variables that say something when they are blank."""

_IN_LOWER_CASE = frozenset({"https_proxy", "http_proxy", "no_proxy"})

Text = Annotated[str, Parsed(kinds.parse_text)]
OptionalText = Annotated[str | None, Parsed(kinds.parse_text)]
Secret = Annotated[SecretStr | None, Parsed(kinds.parse_secret)]
SecretUrl = Annotated[SecretStr | None, Parsed(lambda text: SecretStr(urls.parse_url(text)))]
Proxy = Annotated[SecretStr | None, Parsed(lambda text: SecretStr(urls.parse_proxy(text)))]
OptionalPath = Annotated[Path | None, Parsed(kinds.parse_path)]
Domain = Annotated[str | None, Parsed(hosts.parse_domain)]
Port = Annotated[int, Parsed(kinds.parse_port)]
Mailbox = Annotated[str | None, Parsed(hosts.parse_mailbox)]
AnyFollowUps = Annotated[FollowUps, Parsed(kinds.choose(FollowUps))]


def _parse_url_or_blank(text: str) -> str:
    """Read a URL, or nothing, which says something of its own."""
    return urls.parse_url(text) if text.strip() else ""


def variable_name(field_name: str) -> str:
    """Return the variable that a field stands for."""
    return field_name if field_name in _IN_LOWER_CASE else field_name.upper()


class Variables(BaseSettings):
    """Every variable with a fixed name; webhooks and the sinks of other packages have names of their own."""

    model_config = SettingsConfigDict(
        alias_generator=variable_name,
        defer_build=True,  # what is built is the subclass that `_read` makes
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,
    )

    update_check_config: OptionalPath = None
    update_check_url: Annotated[str, Parsed(_parse_url_or_blank)] = UPDATE_SERVER
    update_check_interval: Annotated[timedelta, Parsed(kinds.parse_duration)] = timedelta(minutes=30)
    update_check_jitter: Annotated[timedelta | None, Parsed(kinds.parse_duration)] = None
    update_check_mastodon_root: Annotated[Path, Parsed(kinds.parse_path)] = MASTODON_ROOT
    update_check_mastodon_env_file: OptionalPath = None
    update_check_mastodon_version: Annotated[MastodonVersion | None, Parsed(kinds.parse_version)] = None
    update_check_instance_url: Annotated[str | None, Parsed(_parse_url_or_blank)] = None
    update_check_database_url: Secret = None
    update_check_recipients: Annotated[recipients.Recipients, Parsed(recipients.parse_recipients)] = (
        recipients.Recipients()
    )
    update_check_operator: Annotated[tuple[str, ...], Parsed(recipients.parse_addresses)] = ()
    update_check_sinks: Annotated[tuple[str, ...] | None, Parsed(recipients.parse_sinks)] = None
    update_check_ledger: Annotated[SecretStr | None, Parsed(kinds.parse_ledger)] = None
    update_check_log_preference: Annotated[Preference, Parsed(kinds.choose(Preference))] = Preference.ALL
    update_check_apprise_url: Secret = None
    update_check_apprise_preference: Annotated[Preference, Parsed(kinds.choose(Preference))] = Preference.ALL
    update_check_heartbeat_url: SecretUrl = None
    update_check_metrics_file: OptionalPath = None
    update_check_page_file: OptionalPath = None
    update_check_release_details: Annotated[str, Parsed(hosts.parse_release_details)] = ""
    update_check_reminders: AnyFollowUps = FollowUps.URGENT
    update_check_closure: AnyFollowUps = FollowUps.URGENT
    update_check_install_kind: Annotated[InstallKind | None, Parsed(kinds.choose(InstallKind))] = None
    update_check_log_level: Annotated[choices.LogLevel, Parsed(kinds.choose(choices.LogLevel))] = choices.LogLevel.INFO
    update_check_log_format: Annotated[choices.LogFormat, Parsed(kinds.choose(choices.LogFormat))] = (
        choices.LogFormat.AUTO
    )

    local_domain: Domain = None
    web_domain: Domain = None
    self_destruct: Annotated[bool, Parsed(lambda _: True)] = False
    https_proxy: Proxy = None
    http_proxy: Proxy = None
    no_proxy: Text = ""

    smtp_server: Annotated[str | None, Parsed(hosts.parse_host)] = None
    smtp_port: Port = 25
    smtp_login: Secret = None
    smtp_password: Secret = None
    smtp_domain: Annotated[str | None, Parsed(hosts.parse_host)] = None
    smtp_from_address: Mailbox = "notifications@localhost"
    smtp_reply_to: Mailbox = None
    smtp_return_path: Mailbox = None
    smtp_auth_method: Annotated[choices.AuthMethod, Parsed(kinds.choose(choices.AuthMethod))] = choices.AuthMethod.PLAIN
    smtp_ca_file: OptionalPath = None
    smtp_openssl_verify_mode: Annotated[choices.VerifyMode, Parsed(kinds.choose(choices.VerifyMode))] = (
        choices.VerifyMode.PEER
    )
    smtp_enable_starttls: OptionalText = None
    smtp_enable_starttls_auto: OptionalText = None
    smtp_tls: OptionalText = None
    smtp_ssl: OptionalText = None
    smtp_delivery_method: Annotated[str, Parsed(choices.require_smtp)] = "smtp"

    database_url: Secret = None
    db_host: Text = "localhost"
    db_port: Port = 5432
    db_name: Text = "mastodon_production"
    db_user: Text = "mastodon"
    db_pass: Secret = None
    db_sslmode: Annotated[choices.SslMode, Parsed(kinds.choose(choices.SslMode))] = choices.SslMode.PREFER

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: dict[str, str]) -> dict[str, str]:
        return {name: text for name, text in values.items() if text.strip() or name in BLANK_MEANS_OFF}


NAMES: Final = frozenset(map(variable_name, Variables.model_fields))
"""Every variable with a fixed name."""

SECRETS: Final = frozenset(
    variable_name(name) for name, info in Variables.model_fields.items() if SecretStr in get_args(info.annotation)
)
"""Those that may be given in a file of their own, or as a credential."""


class _LayerSource(PydanticBaseSettingsSource):
    """One source, read beforehand."""

    def __init__(self, settings_cls: type[BaseSettings], layer: Layer) -> None:
        super().__init__(settings_cls)
        self._layer = layer

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base's signature
        name = variable_name(field_name)
        found = self._layer.get(name)
        return found and found.text, name, False

    def __call__(self) -> dict[str, Any]:
        values = (self.get_field_value(info, name) for name, info in self.settings_cls.model_fields.items())
        return {name: text for text, name, _ in values if text is not None}


def validate(layers: Sequence[Layer], problems: Problems) -> Variables:
    """Return the variables, the first of `layers` that has one winning.

    What is wrong is added to `problems`, and the default stands in for it, so that everything else can be looked at.
    """
    try:
        return _read(layers)
    except ValidationError as error:
        wrong = {str(each["loc"][0]): str(each["ctx"]["error"]) for each in error.errors()}
    for name, defect in wrong.items():
        problems.add(name, _first(layers, name).place, defect)
    return _read([{name: found for name, found in layer.items() if name not in wrong} for layer in layers])


def _read(layers: Sequence[Layer]) -> Variables:
    class Layered(Variables):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(_LayerSource(settings_cls, layer) for layer in layers)

    return Layered()


def _first(layers: Sequence[Layer], name: str) -> Found:
    return next(layer[name] for layer in layers if name in layer)
