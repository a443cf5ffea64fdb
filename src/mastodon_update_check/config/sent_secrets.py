"""The administrator's passwords go only where the administrator sends them.

Mastodon's files may complete a login of our own file, for example by a port. They may decide neither who gets our
password nor who can read it on its way: that disables mail or the recipient lookup.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from mastodon_update_check.config.found import Layer, Problems
from mastodon_update_check.config.settings import VARIABLES, Settings
from mastodon_update_check.config.sinks import find_starttls
from mastodon_update_check.domain.urls import is_loopback_host

AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""The authorities of the system, and Mastodon's default for `SMTP_CA_FILE`."""
_FIRST_UNPRIVILEGED_PORT: Final = 1024
_UNENCRYPTED: Final = frozenset({"disable", "allow"})


def keep_secrets(settings: Settings, found: Layer, problems: Problems) -> None:
    """Disable what would send a password of the administrator as Mastodon's files decide."""
    if settings.smtp_login and settings.smtp_password and settings.smtp_auth_method != "none":
        _require_own(_mail_deciders(settings), ("SMTP_PASSWORD", "SMTP_LOGIN"), found, problems)
    _require_own(_database_deciders(settings), ("DB_PASS",), found, problems)


def _require_own(deciders: Iterable[str], secrets: Iterable[str], found: Layer, problems: Problems) -> None:
    secret = next((name for name in secrets if name in found and found[name].is_trusted), None)
    if secret is None:
        return
    for name in deciders:
        if name in found and not found[name].is_trusted:
            remedy = f"set {name} there as well"
            problems.add(name, found[name], f"decides who can read {secret} ({found[secret].place}): {remedy}")


def _mail_deciders(settings: Settings) -> Iterator[str]:
    """Yield the variables that decide who can read the password; those with a harmless value are not among them."""
    yield "SMTP_SERVER"
    yield "SMTP_LOGIN"
    if settings.smtp_port >= _FIRST_UNPRIVILEGED_PORT:  # any user of that host can listen there
        yield "SMTP_PORT"
    if settings.smtp_server is None or is_loopback_host(settings.smtp_server):
        return
    if settings.smtp_openssl_verify_mode == "none":
        yield "SMTP_OPENSSL_VERIFY_MODE"
    if str(settings.smtp_ca_file) != AUTHORITIES:
        yield "SMTP_CA_FILE"
    if "true" not in {settings.smtp_tls, settings.smtp_ssl} and find_starttls(settings) == "never":
        yield "SMTP_ENABLE_STARTTLS"
        yield "SMTP_ENABLE_STARTTLS_AUTO"


def _database_deciders(settings: Settings) -> Iterator[str]:
    yield "DATABASE_URL"
    given = {"DB_HOST": settings.db_host, "DB_PORT": settings.db_port}
    yield from (name for name, value in given.items() if value != VARIABLES[name].default)
    if settings.db_sslmode in _UNENCRYPTED:
        yield "DB_SSLMODE"
