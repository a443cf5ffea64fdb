"""Where a ledger in PostgreSQL is: libpq's connection URL, and the schema, which only we know of."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import parse_qsl, quote, urlencode

from mastodon_update_check.postgres.login import Login, LoginError, read_conninfo, refuse_misread

SCHEMA: Final = "mastodon_update_check_ledger"
"""The schema, when none is named; not the one that `packaging/postgresql` makes, which is for asking only."""
_NAME: Final = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,39}")
_REMEDY: Final = "make it with CREATE ROLE … LOGIN"
_DEFAULTS: Final = {
    # A host that is gone is found out, whether something was under way (the last) or not.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresAddress:
    """A database, a login, a schema; `str()` of it is fit to be shown."""

    parameters: Mapping[str, str] = field(repr=False)
    """libpq's; they may hold a password."""
    schema: str
    login: Login

    def __str__(self) -> str:
        return f"PostgreSQL at {self.login.place} (schema {self.schema} of the database {self.login.database})"

    @classmethod
    def parse(cls, url: str, origin: str) -> Self:
        """Read a URL; `schema=…` in its query names another schema, `origin` the setting in errors.

        Raises:
            LoginError: it cannot be read; the sentence repeats nothing of it.
        """
        # Before anything else: in a URL that is cut in the wrong place, any piece may be the password's.
        refuse_misread(url, origin)
        base, _, query = url.partition("?")
        try:
            asked = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        except ValueError:
            raise LoginError(f"{origin} has a query (behind the ?) that cannot be read") from None
        schema = dict(asked).get("schema", SCHEMA)
        if not _NAME.fullmatch(schema):
            raise LoginError(
                f"{origin} names a schema that is none: up to 40 small letters, digits and _ are allowed, and no pg_ "
                "in front"
            )
        rest = urlencode([(name, text) for name, text in asked if name != "schema"], quote_via=quote)
        parameters = {**_DEFAULTS, **read_conninfo(f"{base}?{rest}", origin)}
        login = Login.of(parameters, origin, "UPDATE_CHECK_LEDGER", _REMEDY)
        return cls(parameters=MappingProxyType(parameters), schema=schema, login=login)
