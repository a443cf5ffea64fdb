"""From the process environment to a configured program: its settings, its instance, its logs without its secrets."""

import os
import shlex
import sys
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from mastodon_update_check import logs
from mastodon_update_check.app import App
from mastodon_update_check.config import Settings, load_settings
from mastodon_update_check.config.load import state_directory
from mastodon_update_check.config.settings import CONFIG_FILE
from mastodon_update_check.errors import SettingsError, UpdateCheckError
from mastodon_update_check.files import is_missing
from mastodon_update_check.http.secrets import TOKEN_CHARACTERS
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.ledger.location import SCHEMES, find_location


def load_app(token: str = "", *, is_verbose: bool = True, is_lenient: bool = False) -> App:
    """Read the settings and set the logs up; `token` is the lease's, for a child of the ledger's owner.

    Unless `is_verbose`, a person's terminal shows no log lines but the messages of the log sink. `is_lenient`: see
    `load_settings`.
    """
    settings = with_known_instance(load_settings(os.environ, is_lenient=is_lenient))
    is_silent = sys.stdout.isatty() and sys.stderr.isatty() and not is_verbose
    level = logs.SILENT if is_silent else settings.log_level
    logs.configure(level, settings.log_format, secrets=tuple(_secrets(settings)))
    return App(settings, token=token)


def with_known_instance(settings: Settings) -> Settings:
    """Return settings for the one instance that the ledger knows, unless the administrator has set `LOCAL_DOMAIN`.

    Under another name every notice would be sent again, and without any name none would be. Mastodon's own domain can
    never change. A ledger in PostgreSQL may have other servers, too: of its instances, those that were used on
    this machine count.
    """
    is_foreign = "LOCAL_DOMAIN" in settings.foreign
    if not (settings.instance_is_assumed or is_foreign):
        return settings
    try:
        location = find_location(settings.ledger)
        locks = state_directory(os.environ, settings.config_file).glob("*.lock")
        used_here = {path.stem for path in locks} if location.is_shared else None
        if (is_foreign and used_here == set()) or not location.exists():
            return settings
        with Ledger.open(location, settings.instance, verify=False) as ledger:
            known = set(ledger.instances())
    except UpdateCheckError:  # reported where the ledger is used
        return settings
    if used_here:
        known &= used_here
    if is_foreign and settings.instance in known:
        return settings
    known -= {settings.instance}
    return settings.for_instance(*known) if len(known) == 1 else settings


def _secrets(settings: Settings) -> Iterator[str]:
    """Give the texts that no log may show."""
    words = ("pass", "secret", "token", "key", "credential", "access")
    for sink in settings.sinks:
        for name, value in sink.options.items():
            if any(word in name for word in words):
                yield value
                yield from value.split()  # several secrets of one webhook, while they rotate
            elif "://" in value:
                yield from _parts(value)
    if settings.ledger.startswith(SCHEMES):
        yield from _parts(settings.ledger)
    addresses = (settings.database_url, settings.mastodon_database_url, settings.https_proxy, settings.http_proxy)
    hidden = (*addresses, settings.db_pass, settings.heartbeat_url)
    for secret in filter(None, hidden):
        yield secret
        yield from _parts(secret)


def _parts(url: str) -> Iterator[str]:
    """Give the parts of a URL that may be secret, raw and unquoted; of another scheme than http, all of it."""
    try:
        parts = urlsplit(url)
        if not parts.scheme:  # a connection string in libpq's other form
            yield from (word.partition("=")[2] for word in shlex.split(url) if word.startswith("password="))
    except ValueError:
        return
    tokens = [piece for piece in f"{parts.path}/{parts.query}".split("/") if len(piece) >= TOKEN_CHARACTERS]
    for part in (parts.password or "", *(tokens if parts.scheme in {"http", "https"} else (url,))):
        yield part
        yield unquote(part)


def require_set_up(settings: Settings) -> None:
    """Raise `SettingsError` unless a variable is set anywhere, or Mastodon is in the configured directory."""
    if settings.origins.keys() <= {"UPDATE_CHECK_CONFIG"} and is_missing(settings.mastodon_root):
        file = settings.config_file or CONFIG_FILE
        advice = f"run `mastodon-update-check setup` as root, or set UPDATE_CHECK_MASTODON_ROOT in {file}."
        raise SettingsError([f"Nothing is set, and there is no Mastodon in {settings.mastodon_root}: {advice}"])
