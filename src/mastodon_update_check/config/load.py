"""From the sources to `Settings`: everything that depends on more than one variable is decided here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mastodon_update_check.config.found import Disabled, Feature, Found, Layer, Problems
from mastodon_update_check.config.kinds import parse_text
from mastodon_update_check.config.names import VERSION, shown
from mastodon_update_check.config.sent_secrets import keep_secrets
from mastodon_update_check.config.settings import CONFIG_FILE, INTERVAL, JITTER, VARIABLES, Settings
from mastodon_update_check.config.sinks import read_sinks
from mastodon_update_check.config.sources import Sources, gather
from mastodon_update_check.domain.urls import is_loopback
from mastodon_update_check.errors import SettingsError

SHORTEST_INTERVAL = timedelta(minutes=5)
SHORTEST_INTERVAL_ON_LOOPBACK = timedelta(seconds=1)
STATE_DIRECTORY = Path("/var/lib/mastodon-update-check")

_LEDGER = "UPDATE_CHECK_LEDGER"
_URL = "UPDATE_CHECK_URL"


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
        settings = replace(settings, ledger=_default_ledger(sources, environ, problems))
    settings = _restrict_proxy(settings, found)
    _report_self_destruct(found, problems)
    _check_interval(settings, found, problems)
    versions = _version_environment(found, problems)
    sinks = read_sinks(settings, sources, problems)
    keep_secrets(settings, found, problems)
    if problems.sentences and not is_lenient:
        raise SettingsError(problems.sentences)
    disabled = tuple(each for each in problems.disabled if _is_needed(each, settings))
    has_mail = all(each.feature is not Feature.EMAIL for each in disabled)
    return replace(
        settings,
        sinks=tuple(sink for sink in sinks if has_mail or sink.plugin != "email"),
        version_environment=MappingProxyType(versions),
        config_file=sources.config_file,
        mastodon_files=sources.mastodon.paths,
        mastodon_check_is_off=sources.mastodon.silences_mastodon,
        origins=MappingProxyType({name: value.place for name, value in found.items()}),
        shown=MappingProxyType({name: shown(name, value.text) for name, value in found.items()}),
        foreign=frozenset(name for name, value in found.items() if not value.is_trusted),
        disabled=disabled,
        warnings=tuple(problems.warnings),
    )


def parse(found: Layer, problems: Problems) -> Settings:
    """Return the settings; a default replaces each unusable value, which is added to `problems`."""
    values: dict[str, Any] = {}
    for name, variable in VARIABLES.items():
        if name in found and not (name == _URL and "SELF_DESTRUCT" in found):
            try:
                values[variable.name] = variable.metadata["parse"](found[name].text)
            except ValueError as error:
                problems.refuse(name, found[name], error, shown(name, found[name].text))
    if "SELF_DESTRUCT" in found:
        values["url"] = None
    domain = values.get("local_domain")
    values["jitter"] = min(values.get("jitter", JITTER), values.get("interval", INTERVAL))
    values.setdefault("web_domain", domain or "localhost")
    values.setdefault("smtp_domain", domain or "localhost")
    values.setdefault("instance_url", f"https://{values['web_domain']}" if domain else None)
    return Settings(**values)


def _restrict_proxy(settings: Settings, found: Layer) -> Settings:
    """Return settings in which a proxy of Mastodon's files serves https alone: it would see all of a plain request."""
    if "http_proxy" not in found or found["http_proxy"].is_trusted:
        return settings
    return replace(settings, https_proxy=settings.https_proxy or settings.http_proxy, http_proxy=None)


def _is_needed(disabled: Disabled, settings: Settings) -> bool:
    """Return whether anything is disabled at all: what is not used, or is set elsewhere, need not work."""
    match disabled.feature:
        case Feature.EMAIL:
            return settings.listed_sinks is None or "email" in settings.listed_sinks
        case Feature.RECIPIENTS:
            return settings.database_url is None
        case _:
            return True


def _report_self_destruct(found: Layer, problems: Problems) -> None:
    """Report a variable of Mastodon's files that turns checks off: its user may have reasons to do so."""
    name = "SELF_DESTRUCT"
    if name in found and not found[name].is_trusted:
        remedy = "remove it, or set it in our own file: blank to check all the same"
        problems.add(name, found[name], f"says that this server is being deleted: {remedy}")


def _check_interval(settings: Settings, found: Layer, problems: Problems) -> None:
    if "SELF_DESTRUCT" in found:  # there are no checks, and a line in Mastodon's files must not make the interval wrong
        return
    interval, url = "UPDATE_CHECK_INTERVAL", found.get(_URL)
    # A short interval depends on the administrator's word alone: no line in Mastodon's files makes it wrong.
    on_loopback = url is not None and url.is_trusted and settings.url is not None and is_loopback(settings.url)
    shortest = SHORTEST_INTERVAL_ON_LOOPBACK if on_loopback else SHORTEST_INTERVAL
    if settings.interval < shortest and _URL not in problems.names:
        expected = "expected at least 5 minutes (1 second for an update server on loopback)"
        problems.add(interval, found[interval], f'{expected}, got "{shown(interval, found[interval].text)}"')


def _version_environment(found: Layer, problems: Problems) -> dict[str, str]:
    versions = {name: value for name, value in found.items() if name.startswith(VERSION)}
    parsed = (
        (name, problems.parse(name, value, parse_text, shown(name, value.text))) for name, value in versions.items()
    )
    return {name: text for name, text in parsed if text is not None}


def _default_ledger(sources: Sources, environ: Mapping[str, str], problems: Problems) -> str:
    directory = state_directory(environ, sources.config_file)
    if not directory.is_absolute() and _LEDGER not in problems.names:
        problems.add(_LEDGER, Found("", "default"), "no place for the ledger: set it, or HOME, or STATE_DIRECTORY")
    return str(directory / "ledger.sqlite3")


def state_directory(environ: Mapping[str, str], config_file: Path | None) -> Path:
    """Return where systemd, the system or the user keeps our state; a relative path where none of them says."""
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if config_file is not None:
        return STATE_DIRECTORY
    home = Path(environ.get("XDG_STATE_HOME", ""))  # a relative path counts as none (XDG base directory specification)
    return (home if home.is_absolute() else Path(environ.get("HOME", ""), ".local/state")) / STATE_DIRECTORY.name
