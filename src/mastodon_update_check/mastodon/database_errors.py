"""What went wrong with a question to Mastodon's database, as a sentence that an administrator can act on."""

from typing import Final

from mastodon_update_check.domain.text import clean
from mastodon_update_check.postgres.login import Login, last_line

_STOPPING: Final = "is starting or stopping"
_CODES: Final = {
    "42501": (
        "does not let the role {role} read Mastodon's tables: run packaging/postgresql/install.sql there,"
        " or give another login with UPDATE_CHECK_DATABASE_URL"
    ),
    "55P03": "keeps one of Mastodon's tables locked, as a migration or maintenance does: the next check asks again",
    "57014": "took too long to answer, and the question was cancelled: is it overloaded?",
    "57P01": _STOPPING,
    "57P02": _STOPPING,
    "57P03": _STOPPING,
    "53300": "has no connection left for the role {role}",
}
_NOT_KNOWN: Final = "42"
"""Class of syntax errors and of names that do not exist: another schema than any that is known here."""


def explain_question(login: Login, code: str | None, words: str) -> str:
    """Return the sentence about a question that failed with this SQLSTATE and these words."""
    if code in _CODES:
        return login.say(_CODES[code])
    if code is not None and code.startswith(_NOT_KNOWN):
        return login.say("has another schema in {database} than any Mastodon that is known here: {words}", clean(words))
    if code is None:
        return login.say("broke the conversation off: {words}", last_line(words))
    return login.say("fails with {words}", clean(f"{code}: {words}"))
