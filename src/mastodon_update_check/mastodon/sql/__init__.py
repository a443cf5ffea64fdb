"""The SQL of this program: scripts for our PostgreSQL role, and the queries that Mastodon's database is asked.

The queries stand in `install.sql`, as texts between dollar quotes, since our functions run them. A login that may read
the tables runs the same texts.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

_SCRIPTS = Path(__file__).parent


def read_sql(name: str) -> str:
    """Return `install`, `undo`, or the query `schema` for one JSON object that describes the database."""
    return (_SCRIPTS / f"{name}.sql").read_text(encoding="utf-8")


def staff_query(schema: Mapping[str, Any]) -> str:
    """Return the query for the members of staff that fits the answer to `schema`: one JSON object for each."""
    if "staff" in schema["functions"]:
        return _as_json("SELECT * FROM mastodon_update_check.staff() LIMIT 1001")
    chosen = _quoted("by_role" if schema["has_roles"] else "by_admin")
    deletion = _quoted("deletion_requested") if schema["has_deletion_requests"] else "false"
    query = _quoted("staff").replace("@chosen@", chosen).replace("@deletion_requested@", deletion)
    return _as_json(query)


def migrations_query(*, functions: Collection[str]) -> str:
    """Return the query for the versions of the migrations that have run: one JSON object for each."""
    if "migrations" in functions:
        return _as_json("SELECT * FROM mastodon_update_check.migrations() LIMIT 10000")
    return _as_json(_quoted("migrations"))


def _as_json(query: str) -> str:
    return f"SELECT to_json(answer)::text FROM ({query}) AS answer"  # noqa: S608 - our own texts


def _quoted(tag: str) -> str:
    """Return the text that stands between two `$tag$` in `install.sql`."""
    return read_sql("install").split(f"${tag}$")[1]
