"""The sentence about a query that Mastodon's database did not answer."""

from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.postgres.login import Login, last_line

_STOPPING: Final = "is starting or stopping"
_CODES: Final = {
    "42501": "does not let the role {role} read Mastodon's tables: {remedy}, or give another login in {variable}",
    "55P03": "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again",
    "57014": "took too long to answer, and the query was cancelled: is it overloaded?",
    "57P01": _STOPPING,
    "57P02": _STOPPING,
    "57P03": _STOPPING,
    "53300": "has no connection left for the role {role}",
}
_UNKNOWN_NAME: Final = "42"
"""Class of syntax errors and of names that do not exist: not the schema of any known Mastodon."""


def explain_query(login: Login, code: str | None, words: str) -> str:
    """Return the sentence about a query that failed with this SQLSTATE and these words."""
    if code in _CODES:
        return login.say(_CODES[code])
    if code is not None and code.startswith(_UNKNOWN_NAME):
        return login.say("has a schema in {database} that no known Mastodon has: {words}", clean(words))
    if code is None:
        return login.say("closed the connection: {words}", last_line(words))
    return login.say("fails with {words}", clean(f"{code}: {words}"))
