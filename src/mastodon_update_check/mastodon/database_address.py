"""Where Mastodon's database is: which logins are tried, and in which order (DESIGN.md, section 9)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from pydantic import SecretStr

from mastodon_update_check.postgres.login import LoginError, is_misread, read_conninfo

OWN_ROLE: Final = "_mastodon_update_check"
"""The PostgreSQL role that `packaging/postgresql` makes, and the system user of the same name."""
SOCKET_DIRECTORY: Final = "/var/run/postgresql"
"""Where PostgreSQL's sockets are, in the packages of every large distribution and in Mastodon's own guide."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_SCHEMES: Final = frozenset({"postgres", "postgresql"})
_PLACE: Final = frozenset({"host", "hostaddr", "port", "dbname", "sslmode", "sslrootcert"})
"""What a connection string says of the place, and not of who asks there."""

LIBPQ_PARAMETERS: Final = frozenset(
    (
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
        "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr",
        "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
        "load_balance_hosts", "max_protocol_version", "min_protocol_version", "options", "passfile",
        "password", "port", "require_auth", "requirepeer", "scram_client_key", "scram_server_key", "service",
        "ssl", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert", "sslcertmode",
        "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslmode", "sslnegotiation", "sslpassword",
        "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
    )
)  # fmt: skip
"""The keywords of PostgreSQL 18's libpq; `ssl` is for JDBC's sake (PostgreSQL documentation, 32.1.2)."""


class DatabaseSettings(Protocol):
    """The part of the settings that is looked at."""

    @property
    def database_url(self) -> SecretStr | None:
        """`UPDATE_CHECK_DATABASE_URL`."""

    @property
    def mastodon_database_url(self) -> SecretStr | None:
        """`DATABASE_URL`."""

    @property
    def db_host(self) -> str:
        """`DB_HOST`: a host, or a directory of sockets."""

    @property
    def db_port(self) -> int:
        """`DB_PORT`."""

    @property
    def db_name(self) -> str:
        """`DB_NAME`."""

    @property
    def db_user(self) -> str:
        """`DB_USER`."""

    @property
    def db_pass(self) -> SecretStr | None:
        """`DB_PASS`."""

    @property
    def db_sslmode(self) -> str:
        """`DB_SSLMODE`, as libpq has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseAddress:
    """One way to log in to Mastodon's database."""

    origin: str
    """Where it comes from, as an administrator would say: a variable's name."""
    conninfo: str = field(default="", repr=False)
    """A libpq connection string, which may hold a password."""
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """libpq parameters that stand for what `conninfo` does not say; they may hold a password too."""


def addresses(settings: DatabaseSettings, os_user: str) -> tuple[DatabaseAddress, ...]:
    """Return the logins to try, in order.

    1. `UPDATE_CHECK_DATABASE_URL`, and then nothing else: it was asked for.
    2. Our own role where Mastodon's database is, by `DB_HOST`, `DB_PORT`, `DB_NAME` and what `DATABASE_URL` lays over
       them, when `os_user`, who runs this process, has its name. Peer login works over a socket only, so for a loopback
       host its socket is taken.
    3. `DATABASE_URL`, which for Rails lies over the `DB_` variables.
    4. Without it, the `DB_` variables alone.
    """
    if settings.database_url is not None:
        conninfo = settings.database_url.get_secret_value()
        return (DatabaseAddress(origin="UPDATE_CHECK_DATABASE_URL", conninfo=conninfo),)
    own = _own_role(settings) if os_user == OWN_ROLE else ()
    return (*own, _mastodons(settings))


def _own_role(settings: DatabaseSettings) -> tuple[DatabaseAddress, ...]:
    """Return our role's login; none where `DATABASE_URL` cannot be read: another database's staff is not ours."""
    place = {
        "host": settings.db_host,
        "port": str(settings.db_port),
        "dbname": settings.db_name,
        "sslmode": settings.db_sslmode,
    }
    origin = "DB_HOST, DB_PORT and DB_NAME"
    if settings.mastodon_database_url is not None:
        origin = "DATABASE_URL"
        url = without_rails_parameters(settings.mastodon_database_url.get_secret_value())
        try:
            given = read_conninfo(url, origin)
        except LoginError:  # whoever tries it as it is says so
            return ()
        place |= {name: text for name, text in given.items() if name in _PLACE}
    if place["host"] in _LOOPBACK:
        place["host"] = SOCKET_DIRECTORY
    return (DatabaseAddress(origin=origin, parameters=MappingProxyType({**place, "user": OWN_ROLE})),)


def _mastodons(settings: DatabaseSettings) -> DatabaseAddress:
    parameters = {
        "host": settings.db_host,
        "port": str(settings.db_port),
        "dbname": settings.db_name,
        "user": settings.db_user,
        "sslmode": settings.db_sslmode,
    }
    if settings.db_pass is not None:
        parameters["password"] = settings.db_pass.get_secret_value()
    if settings.mastodon_database_url is None:
        return DatabaseAddress(origin="the DB_ variables", parameters=MappingProxyType(parameters))
    conninfo = without_rails_parameters(settings.mastodon_database_url.get_secret_value())
    return DatabaseAddress(origin="DATABASE_URL", conninfo=conninfo, parameters=MappingProxyType(parameters))


def without_rails_parameters(url: str) -> str:
    """Return a Rails database URL as libpq takes it.

    Rails' own parameters (`pool`, `prepared_statements`, `encoding` …) are dropped, `postgis` is a name for the same
    protocol, and what is not such a URL is returned as it is.
    """
    if is_misread(url):
        return url
    try:
        parts = urlsplit(url)
        scheme = "postgresql" if parts.scheme == "postgis" else parts.scheme
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:  # brackets without an IPv6 address, or far too many parameters
        return url
    if scheme not in _SCHEMES:
        return url
    known = [(name, text) for name, text in query if name in LIBPQ_PARAMETERS]
    tail = "?" + urlencode(known, quote_via=quote) if known else ""
    return f"{scheme}://{url.split('://', 1)[-1].split('?', 1)[0].split('#', 1)[0]}{tail}"
