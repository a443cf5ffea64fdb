"""The subject of `explain` and `retry`: a release, a branch, a person, or a sink."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mastodon_update_check.domain.addresses import normalise_address
from mastodon_update_check.domain.identities import subject
from mastodon_update_check.domain.notices import UpdateNotice
from mastodon_update_check.domain.recipients import Recipient
from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError, UsageError

_BRANCH = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_EXAMPLES = "a release (4.5.20), a branch (4.5), a mail address, the name of a user, or a sink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The subject of a command; one of the fields is given."""

    words: str
    version: MastodonVersion | None = None
    branch: str = ""
    address: str = ""
    name: str = ""
    """Of a user of the server, in lower case."""
    sink: str = ""
    """A sink's name, or `webhook` for every webhook."""

    @property
    def subject(self) -> str:
        """The subject of its notices, for a release or a branch; empty for people and sinks."""
        if self.version is not None:
            return subject(UpdateNotice(version=self.version))
        return f"support/{self.branch}" if self.branch else ""

    def means(self, recipient: Recipient, addresses: Iterable[str] = ()) -> bool:
        """Return whether this recipient was asked about; `addresses` are others that had the same key."""
        if self.address:
            return self.address in map(normalise_address, (recipient.address, *addresses))
        if self.name:
            return recipient.name.lower() == self.name
        return bool(self.sink) and is_of_kind(recipient.sink, self.sink)


def read_asked(text: str, sinks: Collection[str], names: Collection[str]) -> Asked:
    """Read a command's subject by the known `sinks` and `names` of users, or raise `UsageError`; `@name` is a user."""
    words, plain = clean(text), text.strip()
    if plain.startswith("@"):  # as users are called in Mastodon
        return _read_name(words, plain[1:].partition("@")[0].lower(), names)
    if "@" in plain:
        return Asked(words=words, address=normalise_address(plain))
    if _BRANCH.fullmatch(plain):
        return Asked(words=words, branch=plain)
    try:
        return Asked(words=words, version=MastodonVersion.parse(plain))
    except InvalidVersionError:
        word = plain.lower()
        is_sink = any(is_of_kind(sink, word) for sink in sinks)
        return Asked(words=words, sink=word) if is_sink else _read_name(words, word, names)


def _read_name(words: str, name: str, names: Collection[str]) -> Asked:
    if name not in map(str.lower, names):
        raise UsageError(f"{words!r} is not known here: name {_EXAMPLES}")
    return Asked(words=words, name=name)


def is_of_kind(sink: str, word: str) -> bool:
    """Return whether a word names this sink, or all sinks of its kind: `webhook` is `webhook.ops` too."""
    return word in {sink, sink.partition(".")[0]}
