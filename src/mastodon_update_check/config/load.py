"""From the sources to `Settings`: everything that depends on more than one variable is decided here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from mastodon_update_check.config.kinds import parse_text
from mastodon_update_check.config.settings import CONFIG_FILE, EMAIL, RECIPIENTS, VARIABLES, Disabled, Settings
from mastodon_update_check.config.sinks import find_starttls, read_sinks
from mastodon_update_check.config.sources import gather
from mastodon_update_check.config.variables import VERSION, Found, Layer, Problems, shown
from mastodon_update_check.domain.urls import is_loopback, is_loopback_host
from mastodon_update_check.errors import SettingsError

_SHORTEST_INTERVAL: Final = timedelta(minutes=5)
_SHORTEST_INTERVAL_ON_LOOPBACK: Final = timedelta(seconds=1)
_STATE_DIRECTORY: Final = Path("/var/lib/mastodon-update-check")
_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""The authorities of the system, and Mastodon's default for `SMTP_CA_FILE`."""
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_UNENCRYPTED: Final = frozenset({"disable", "allow"})
_LEDGER: Final = "UPDATE_CHECK_LEDGER"
_URL: Final = "UPDATE_CHECK_URL"
_SELF_DESTRUCT: Final = "SELF_DESTRUCT"


def load_settings(environ: Mapping[str, str], config_file: Path = CONFIG_FILE, *, is_lenient: bool = False) -> Settings:
    """Return the settings that the environment, and the files that it points to, give.

    With `is_lenient` the defaults replace wrong values, to read what a running daemon has recorded.

    Raises:
        SettingsError: the environment or our own file is wrong; it holds every problem.
    """
    problems = Problems()
    sources = gather(environ, config_file, problems)
    found = sources.found
    settings = parse(found, problems)
    if _LEDGER not in found:
        settings = replace(settings, ledger=_default_ledger(environ, sources.config_file, problems))
    if _SELF_DESTRUCT not in found:  # there are no checks, and a line in Mastodon's files must not be an error
        _check_interval(settings, found, problems)
    elif not found[_SELF_DESTRUCT].is_trusted:
        remedy = "remove it, or set it in our own file: blank to check all the same"
        problems.add(_SELF_DESTRUCT, found[_SELF_DESTRUCT], f"says that this server is being deleted: {remedy}")
    versions = {}
    for name in (name for name in found if name.startswith(VERSION)):
        with problems.parsing(name, found[name]):
            versions[name] = parse_text(found[name].text)
    sinks = read_sinks(settings, sources, problems)
    _keep_secrets(settings, found, problems)
    if problems.sentences and not is_lenient:
        raise SettingsError(problems.sentences)
    disabled = tuple(each for each in problems.disabled if _is_needed(each, settings))
    has_mail = all(each.feature != EMAIL for each in disabled)
    return replace(
        settings,
        sinks=tuple(sink for sink in sinks if has_mail or sink.plugin != "email"),
        version_environment=MappingProxyType(versions),
        config_file=sources.config_file,
        mastodon_files=sources.mastodon_files,
        mastodon_check_is_off=sources.mastodon_check_is_off,
        origins=MappingProxyType({name: value.place for name, value in found.items()}),
        shown=MappingProxyType({name: shown(name, value.text) for name, value in found.items()}),
        foreign=frozenset(name for name, value in found.items() if not value.is_trusted),
        disabled=disabled,
        warnings=tuple(problems.warnings),
    )


def parse(found: Layer, problems: Problems) -> Settings:
    """Return the settings; a default replaces each unusable value, which is added to `problems`."""
    values: dict[str, Any] = {}
    if _SELF_DESTRUCT in found:
        found, values["url"] = {name: each for name, each in found.items() if name != _URL}, None
    for name, variable in VARIABLES.items():
        if name in found:
            with problems.parsing(name, found[name]):
                values[variable.name] = variable.metadata["parse"](found[name].text)
    domain = values.get("local_domain")
    values.setdefault("web_domain", domain or "localhost")
    values.setdefault("smtp_domain", domain or "localhost")
    values.setdefault("instance_url", f"https://{values['web_domain']}" if domain else None)
    if "http_proxy" in found and not found["http_proxy"].is_trusted:  # it would see all of a plain request
        proxy = values.pop("http_proxy", None)
        values["https_proxy"] = values.get("https_proxy") or proxy
    settings = Settings(**values)
    return replace(settings, jitter=min(settings.jitter, settings.interval))


def _is_needed(disabled: Disabled, settings: Settings) -> bool:
    """Return whether anything is disabled at all: what is not used, or is set elsewhere, need not work."""
    if disabled.feature == EMAIL:
        return settings.listed_sinks is None or "email" in settings.listed_sinks
    return disabled.feature != RECIPIENTS or settings.database_url is None


def _check_interval(settings: Settings, found: Layer, problems: Problems) -> None:
    name, url = "UPDATE_CHECK_INTERVAL", found.get(_URL)
    # A short interval depends on the administrator's word alone: no line in Mastodon's files makes it wrong.
    on_loopback = url is not None and url.is_trusted and settings.url is not None and is_loopback(settings.url)
    shortest = _SHORTEST_INTERVAL_ON_LOOPBACK if on_loopback else _SHORTEST_INTERVAL
    if settings.interval < shortest and _URL not in problems.names:
        problems.refuse(name, found[name], "at least 5 minutes (1 second for an update server on loopback)")


def _keep_secrets(settings: Settings, found: Layer, problems: Problems) -> None:
    """Disable what would send a password of the administrator as Mastodon's files decide.

    They may complete a login of our own file, for example by a port. They may decide neither who gets our password nor
    who can read it on its way: that disables mail or the recipient lookup.
    """
    is_remote = settings.smtp_server is not None and not is_loopback_host(settings.smtp_server)
    is_plain = "true" not in {settings.smtp_tls, settings.smtp_ssl} and find_starttls(settings) == "never"
    has_login = settings.smtp_login and settings.smtp_password and settings.smtp_auth_method != "none"
    mail = {
        "SMTP_SERVER": True,
        "SMTP_LOGIN": True,
        "SMTP_PORT": settings.smtp_port >= _FIRST_UNPRIVILEGED_PORT,  # any user of that host can listen there
        "SMTP_OPENSSL_VERIFY_MODE": is_remote and settings.smtp_openssl_verify_mode == "none",
        "SMTP_CA_FILE": is_remote and str(settings.smtp_ca_file) != _AUTHORITIES,
        "SMTP_ENABLE_STARTTLS": is_remote and is_plain,
        "SMTP_ENABLE_STARTTLS_AUTO": is_remote and is_plain,
    }
    database = {
        "DATABASE_URL": True,
        "DB_HOST": settings.db_host != VARIABLES["DB_HOST"].default,
        "DB_PORT": settings.db_port != VARIABLES["DB_PORT"].default,
        "DB_SSLMODE": settings.db_sslmode in _UNENCRYPTED,
    }
    for secrets, deciders in ((("SMTP_PASSWORD", "SMTP_LOGIN") if has_login else (), mail), (("DB_PASS",), database)):
        own = [f"{name} ({found[name].place})" for name in secrets if name in found and found[name].is_trusted]
        for name in (name for name, decides in deciders.items() if own and decides):
            if name in found and not found[name].is_trusted:
                problems.add(name, found[name], f"decides who can read {own[0]}: set {name} there as well")


def _default_ledger(environ: Mapping[str, str], config_file: Path | None, problems: Problems) -> str:
    directory = state_directory(environ, config_file)
    if not directory.is_absolute() and _LEDGER not in problems.names:
        problems.add(_LEDGER, Found("", "default"), "no place for the ledger: set it, or HOME, or STATE_DIRECTORY")
    return str(directory / "ledger.sqlite3")


def state_directory(environ: Mapping[str, str], config_file: Path | None) -> Path:
    """Return where systemd, the system or the user keeps our state; a relative path where none of them says."""
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if config_file is not None:
        return _STATE_DIRECTORY
    home = Path(environ.get("XDG_STATE_HOME", ""))  # a relative path counts as none (XDG base directory specification)
    return (home if home.is_absolute() else Path(environ.get("HOME", ""), ".local/state")) / _STATE_DIRECTORY.name
