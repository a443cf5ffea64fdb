"""From the sources to `Settings`: what depends on more than one variable is decided here."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from mastodon_update_check.config.found import Layer, Problems
from mastodon_update_check.config.hosts import is_loopback
from mastodon_update_check.config.kinds import parse_text
from mastodon_update_check.config.model import Settings, SinkSettings
from mastodon_update_check.config.names import VERSION, shown
from mastodon_update_check.config.sinks import read_sinks
from mastodon_update_check.config.sources import Sources, gather
from mastodon_update_check.config.variables import CONFIG_FILE, Variables, validate
from mastodon_update_check.errors import SettingsError

SHORTEST_INTERVAL = timedelta(minutes=5)
SHORTEST_INTERVAL_ON_LOOPBACK = timedelta(seconds=1)
JITTER = timedelta(seconds=60)
"""Default, unless the interval is shorter."""
STATE_DIRECTORY = Path("/var/lib/mastodon-update-check")

_LEDGER = "ledger.sqlite3"


def load_settings(environ: Mapping[str, str], config_file: Path = CONFIG_FILE) -> Settings:
    """Return the settings that the environment, and the files that it points to, give.

    Args:
        environ: the process environment.
        config_file: our own file, unless the environment names another.

    Raises:
        SettingsError: something is wrong; every problem is in it.
    """
    problems = Problems()
    sources = gather(environ, config_file, problems)
    variables = validate(sources.layers, problems)
    _check_timing(variables, sources.found, problems)
    versions = _version_environment(sources.found, problems)
    sinks = read_sinks(variables, sources, problems)
    ledger = _ledger(variables, sources, environ, problems)
    if problems.sentences:
        raise SettingsError(problems.sentences)
    return _settings(variables, sources, versions, sinks, ledger)


def _settings(
    variables: Variables, sources: Sources, versions: dict[str, str], sinks: tuple[SinkSettings, ...], ledger: str
) -> Settings:
    off_reason = _off_reason(variables)
    instance = variables.local_domain or "localhost"
    return Settings(
        url=None if off_reason else variables.update_check_url,
        off_reason=off_reason,
        mastodon_check_is_off=sources.mastodon_check_is_off,
        interval=variables.update_check_interval,
        jitter=_jitter(variables),
        mastodon_root=variables.update_check_mastodon_root,
        mastodon_env_file=sources.mastodon_env_file,
        config_file=sources.config_file,
        mastodon_version=variables.update_check_mastodon_version,
        version_environment=MappingProxyType(versions),
        instance=instance,
        instance_is_assumed=variables.local_domain is None,
        web_domain=variables.web_domain or instance,
        instance_url=_instance_url(variables),
        database_url=variables.update_check_database_url,
        mastodon_database_url=variables.database_url,
        db_host=variables.db_host,
        db_port=variables.db_port,
        db_name=variables.db_name,
        db_user=variables.db_user,
        db_pass=variables.db_pass,
        db_sslmode=variables.db_sslmode,
        devops=variables.update_check_recipients.devops,
        addresses=variables.update_check_recipients.addresses,
        operator=variables.update_check_operator,
        sinks=sinks,
        ledger=ledger,
        https_proxy=variables.https_proxy,
        http_proxy=variables.http_proxy,
        no_proxy=variables.no_proxy,
        heartbeat_url=variables.update_check_heartbeat_url,
        metrics_file=variables.update_check_metrics_file,
        page_file=variables.update_check_page_file,
        release_details=variables.update_check_release_details,
        reminders=variables.update_check_reminders,
        closure=variables.update_check_closure,
        install_kind=variables.update_check_install_kind,
        log_level=variables.update_check_log_level,
        log_format=variables.update_check_log_format,
        origins=MappingProxyType({name: found.place for name, found in sources.found.items()}),
        shown=MappingProxyType({name: shown(name, found.text) for name, found in sources.found.items()}),
    )


def _off_reason(variables: Variables) -> str:
    if not variables.update_check_url:
        return "UPDATE_CHECK_URL is blank"
    return "SELF_DESTRUCT is set" if variables.self_destruct else ""


def _instance_url(variables: Variables) -> str | None:
    """Return where to ask the running server; None when it is not to be asked, or its name is not known."""
    if variables.update_check_instance_url is not None:
        return variables.update_check_instance_url or None
    if variables.local_domain is None:
        return None
    return f"https://{variables.web_domain or variables.local_domain}"


def _jitter(variables: Variables) -> timedelta:
    if variables.update_check_jitter is None:
        return min(JITTER, variables.update_check_interval)
    return variables.update_check_jitter


def _check_timing(variables: Variables, found: Layer, problems: Problems) -> None:
    interval, jitter = "UPDATE_CHECK_INTERVAL", "UPDATE_CHECK_JITTER"
    on_loopback = is_loopback(variables.update_check_url)
    shortest = SHORTEST_INTERVAL_ON_LOOPBACK if on_loopback else SHORTEST_INTERVAL
    if variables.update_check_interval < shortest and "UPDATE_CHECK_URL" not in problems.names:
        allowed = "at least 5 minutes are allowed, and 1 second for an update server on loopback"
        problems.add(interval, found[interval].place, f"is too short: {allowed}")
    elif _jitter(variables) > variables.update_check_interval and interval not in problems.names:
        problems.add(jitter, found[jitter].place, f"is too long: at most {interval} is allowed")


def _version_environment(found: Layer, problems: Problems) -> dict[str, str]:
    versions = {}
    for name, value in found.items():
        if name.startswith(VERSION):
            try:
                versions[name] = parse_text(value.text)
            except ValueError as error:
                problems.add(name, value.place, str(error))
    return versions


def _ledger(variables: Variables, sources: Sources, environ: Mapping[str, str], problems: Problems) -> str:
    """Return where the ledger is: what is given, else where systemd, the system or the user keeps state."""
    if variables.update_check_ledger is not None:
        return variables.update_check_ledger.get_secret_value()
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return str(Path(given, _LEDGER))
    if sources.config_file is not None:
        return str(STATE_DIRECTORY / _LEDGER)
    home = _state_home(environ)
    if home is None:
        problems.add("UPDATE_CHECK_LEDGER", "default", "has no place: set it, or HOME, or STATE_DIRECTORY")
    return str(Path(home or "", STATE_DIRECTORY.name, _LEDGER))


def _state_home(environ: Mapping[str, str]) -> Path | None:
    """Return where the user keeps state, by the XDG base directory specification: a relative path counts as none."""
    home = Path(environ.get("XDG_STATE_HOME", ""))
    if home.is_absolute():
        return home
    return Path(environ["HOME"], ".local", "state") if environ.get("HOME") else None
