"""The meaning of Mastodon's `SMTP_…` variables for the email sink, by the rules of Mastodon 4.0 and later."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import SecretStr

from mastodon_update_check.config.variables import Variables

_TRUE = "true"
_STARTTLS = frozenset({"always", "never", "auto"})


def smtp_options(variables: Variables) -> Mapping[str, str]:
    """Return the options of the email sink; a variable that is not set is not among them.

    With `tls` (implicit TLS from the first byte), `starttls` has no meaning.
    """
    options = {
        "server": variables.smtp_server,
        "port": str(variables.smtp_port),
        "login": _revealed(variables.smtp_login),
        "password": _revealed(variables.smtp_password),
        "domain": variables.smtp_domain,
        "from_address": variables.smtp_from_address,
        "reply_to": variables.smtp_reply_to,
        "return_path": variables.smtp_return_path,
        "auth_method": variables.smtp_auth_method,
        "ca_file": str(variables.smtp_ca_file) if variables.smtp_ca_file else None,
        "openssl_verify_mode": "none" if variables.smtp_openssl_verify_mode == "none" else "peer",
        "starttls": find_starttls(variables),
        "tls": _TRUE if _TRUE in {variables.smtp_tls, variables.smtp_ssl} else "false",
    }
    return MappingProxyType({name: value for name, value in options.items() if value is not None})


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def find_starttls(variables: Variables) -> str:
    """Return when STARTTLS is used; a word that Mastodon does not know counts as not set, as it does there."""
    if variables.smtp_enable_starttls in _STARTTLS:
        return str(variables.smtp_enable_starttls)
    return "never" if variables.smtp_enable_starttls_auto == "false" else "auto"
