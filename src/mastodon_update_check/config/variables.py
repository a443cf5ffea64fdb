"""Every variable with a fixed name, its kind and its default.

A blank variable counts as not set, except where blank is a value of its own (`BLANK_COUNTS`).
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, SecretStr, model_validator
from pydantic_core.core_schema import PlainValidatorFunctionSchema, no_info_plain_validator_function

from mastodon_update_check.config import hosts, kinds
from mastodon_update_check.config.defaults import JITTER, MASTODON_ROOT, UPDATE_SERVER
from mastodon_update_check.config.recipients import Recipients, parse_addresses, parse_recipients, parse_sinks
from mastodon_update_check.domain import urls
from mastodon_update_check.domain.recipients import FollowUps, Preference
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion

BLANK_COUNTS: Final = frozenset({"UPDATE_CHECK_URL", "UPDATE_CHECK_INSTANCE_URL", "DB_HOST", "DB_NAME", "DB_USER"})
"""Blank, the URLs mean off, and the database's variables mean the defaults of libpq: its socket, for example."""


class Parsed:
    """Stands behind a type in `Annotated`; `parse` returns the value, or raises `ValueError` with what it expected.

    Does the same as pydantic's `PlainValidator`, without deriving a serialisation schema that is not needed here and
    takes most of the time that building this model takes.
    """

    def __init__(self, parse: Callable[[Any], object]) -> None:
        self._parse = parse

    def __get_pydantic_core_schema__(
        self, _type: object, _handler: GetCoreSchemaHandler
    ) -> PlainValidatorFunctionSchema:
        """Implement pydantic's protocol (its documentation: "Custom types")."""
        return no_info_plain_validator_function(self._parse)


def _parse_url_or_blank(text: str) -> str | None:
    """Read a URL; None for a blank one, which means off."""
    return urls.parse_url(text) if text.strip() else None


Text = Annotated[str, Parsed(kinds.parse_text)]
OptionalText = Annotated[str | None, Parsed(kinds.parse_text)]
Secret = Annotated[SecretStr | None, Parsed(kinds.parse_secret)]
SecretUrl = Annotated[SecretStr | None, Parsed(lambda text: SecretStr(urls.parse_url(text)))]
Proxy = Annotated[SecretStr | None, Parsed(lambda text: SecretStr(urls.parse_proxy(text)))]
Url = Annotated[str | None, Parsed(_parse_url_or_blank)]
OptionalPath = Annotated[Path | None, Parsed(kinds.parse_path)]
Domain = Annotated[str | None, Parsed(hosts.parse_domain)]
Host = Annotated[str | None, Parsed(hosts.parse_host)]
Port = Annotated[int, Parsed(kinds.parse_port)]
Mailbox = Annotated[str | None, Parsed(hosts.parse_mailbox)]
Duration = Annotated[timedelta, Parsed(kinds.parse_duration)]
AnyPreference = Annotated[Preference, Parsed(kinds.choose(Preference))]
AnyFollowUps = Annotated[FollowUps, Parsed(kinds.choose(FollowUps))]


_OTHER_NAMES = {
    "listed_sinks": "UPDATE_CHECK_SINKS",
    "mastodon_database_url": "DATABASE_URL",
    **{name: name for name in ("https_proxy", "http_proxy", "no_proxy")},
}
_AS_IN_MASTODON = ("smtp_", "db_", "local_domain", "web_domain", "self_destruct")


def variable_name(field_name: str) -> str:
    """Return the variable that a field stands for."""
    if field_name in _OTHER_NAMES:
        return _OTHER_NAMES[field_name]
    return f"{'' if field_name.startswith(_AS_IN_MASTODON) else 'update_check_'}{field_name}".upper()


class Variables(BaseModel):
    """Every variable with a fixed name; webhooks and the sinks of other packages have names of their own."""

    model_config = ConfigDict(
        alias_generator=variable_name, extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    config: OptionalPath = None
    self_destruct: Annotated[bool, Parsed(lambda _: True)] = False
    url: Url = Field(default=UPDATE_SERVER, repr=False)
    """The update server; None when it is blank."""
    interval: Duration = timedelta(minutes=30)
    jitter: Duration = Field(default_factory=lambda known: min(JITTER, known.get("interval", JITTER)))
    """Spread of each check, centred; never longer than `interval`."""
    mastodon_root: Annotated[Path, Parsed(kinds.parse_path)] = MASTODON_ROOT
    mastodon_env_file: OptionalPath = None
    mastodon_version: Annotated[MastodonVersion | None, Parsed(kinds.parse_version)] = None
    """Used instead of reading or asking."""
    local_domain: Domain = None
    web_domain: Annotated[str, Parsed(hosts.parse_domain)] = Field(
        default_factory=lambda known: known.get("local_domain") or "localhost"
    )
    instance_url: Url = Field(
        default_factory=lambda known: f"https://{known.get('web_domain')}" if known.get("local_domain") else None,
        repr=False,
    )
    """Where to ask which version is running; None: do not ask."""
    database_url: Secret = None
    """Any libpq connection string."""
    recipients: Annotated[Recipients, Parsed(parse_recipients)] = Recipients()
    operator: Annotated[tuple[str, ...], Parsed(parse_addresses)] = Field(default=(), repr=False)
    """Who gets notices about this tool itself; empty: the mail recipients."""
    listed_sinks: Annotated[tuple[str, ...] | None, Parsed(parse_sinks)] = None
    ledger: Annotated[str, Parsed(kinds.parse_ledger)] = Field(default="", repr=False)
    """A path, or a `postgresql://` URL."""
    log_preference: AnyPreference = Preference.ALL
    apprise_url: Secret = None
    apprise_preference: AnyPreference = Preference.ALL
    heartbeat_url: SecretUrl = None
    metrics_file: OptionalPath = None
    page_file: OptionalPath = None
    """The status page; None: no page."""
    release_details: Annotated[str, Parsed(hosts.parse_release_details)] = ""
    """The URL template, with `{version}`, of the source tree of a release; empty: release details are off."""
    reminders: AnyFollowUps = FollowUps.URGENT
    closure: AnyFollowUps = FollowUps.URGENT
    install_kind: Annotated[InstallKind | None, Parsed(kinds.choose(InstallKind))] = None
    """None: to be detected."""
    log_level: Annotated[str, Parsed(kinds.words("debug", "info", "warning", "error", "critical"))] = "info"
    log_format: Annotated[str, Parsed(kinds.words("auto", "console", "json"))] = "auto"
    """`auto` is `console` on a terminal, else `json`."""

    https_proxy: Proxy = None
    http_proxy: Proxy = None
    no_proxy: Text = ""

    smtp_server: Host = None
    smtp_port: Port = 25
    smtp_login: Secret = None
    smtp_password: Secret = None
    smtp_domain: Host = Field(default_factory=lambda known: known.get("local_domain") or "localhost")
    smtp_from_address: Mailbox = "notifications@localhost"
    smtp_reply_to: Mailbox = None
    smtp_return_path: Mailbox = None
    smtp_auth_method: Annotated[str, Parsed(kinds.words("plain", "login", "cram_md5", "none"))] = "plain"
    smtp_ca_file: OptionalPath = None
    smtp_openssl_verify_mode: Annotated[
        str, Parsed(kinds.words("none", "peer", "client_once", "fail_if_no_peer_cert"))
    ] = "peer"
    """All but `none` verify the server's certificate: the others differ for servers only."""
    smtp_enable_starttls: OptionalText = None
    smtp_enable_starttls_auto: OptionalText = None
    smtp_tls: OptionalText = None
    smtp_ssl: OptionalText = None
    smtp_delivery_method: Annotated[str, Parsed(kinds.require_smtp)] = "smtp"

    mastodon_database_url: Secret = None
    """`DATABASE_URL`."""
    db_host: Text = "localhost"
    db_port: Port = 5432
    db_name: Text = "mastodon_production"
    db_user: Text = "mastodon"
    db_pass: Secret = None
    db_sslmode: Annotated[
        str, Parsed(kinds.words("disable", "allow", "prefer", "require", "verify-ca", "verify-full"))
    ] = "prefer"

    @model_validator(mode="before")
    @classmethod
    def _drop_blanks(cls, values: dict[str, str]) -> dict[str, str]:
        kept = {name: text for name, text in values.items() if text.strip() or name in BLANK_COUNTS}
        return {**kept, "UPDATE_CHECK_URL": ""} if "SELF_DESTRUCT" in kept else kept


NAMES: Final = frozenset(map(variable_name, Variables.model_fields))
"""Every variable with a fixed name."""

SECRETS: Final = {"UPDATE_CHECK_LEDGER"} | {
    variable_name(name) for name, info in Variables.model_fields.items() if SecretStr in get_args(info.annotation)
}
"""Those that may be given in a file of their own, or as a credential."""
