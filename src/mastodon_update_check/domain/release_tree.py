"""The files of one release's tree, reduced to the facts that are compared and kept.

A fact is a JSON value: the ledger keeps it instead of the file. `None` means that the tree has no such file.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping

from mastodon_update_check.domain.changelog import Changelog, parse_changelog
from mastodon_update_check.domain.stored_json import from_json, to_json
from mastodon_update_check.domain.text import clean

CHANGELOG = "CHANGELOG.md"
README = "README.md"
RUBY_VERSION = ".ruby-version"
PACKAGE = "package.json"
GEMS = "Gemfile.lock"
YARN = "yarn.lock"
SCHEMA = "db/schema.rb"
STREAMING = (
    "streaming/package.json",
    "streaming/index.js",
    "streaming/database.js",
    "streaming/errors.js",
    "streaming/logging.js",
    "streaming/metrics.js",
    "streaming/redis.js",
    "streaming/utils.js",
)

UNUSABLE = False
"""The fact of a file that cannot be used, such as one that is too large."""

TreeFacts = Mapping[str, object]
"""Fact by path. A path that is missing was not read: everything that depends on it is unknown."""

_NUMBER = r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}"
_REQUIREMENTS = re.compile(r"#{2,4}[ \t]+Requirements\b", re.IGNORECASE)
_REQUIREMENT = re.compile(rf"[ \t]*[-*][ \t]+\*\*(?P<name>Ruby|PostgreSQL|Redis|Node\.js)\*\*[ \t]+v?(?P<at>{_NUMBER})")
_DEFINE = re.compile(r"ActiveRecord::Schema[^\n]{0,60}version: *(?P<version>[0-9_]{4,30})")
_RUBY = re.compile(rf"(?:ruby-)?(?P<version>{_NUMBER})")
_LINE_CHARACTERS = 300


def extract(path: str, content: bytes) -> object:
    """Return the fact that a file of the tree states; any content has one."""
    return _EXTRACTORS.get(path, _digest)(content)


def _digest(content: bytes) -> object:
    return hashlib.sha256(content).hexdigest()


def changelog_of(facts: TreeFacts) -> Changelog | None:
    """Return the changelog that `extract` reduced; None when it was not read or cannot be used."""
    kept = facts.get(CHANGELOG)
    if not isinstance(kept, dict):
        return None
    try:
        changelog: Changelog = from_json(Changelog, kept)
    except (KeyError, TypeError, ValueError, AttributeError):  # kept by another version of this program
        return None
    return changelog


def _read_requirements(content: bytes) -> object:
    """Return the minimum by name, from the section Requirements: `- **PostgreSQL** 14+`."""
    found: dict[str, str] = {}
    inside = False
    for line in content.decode(errors="replace").split("\n"):
        if line.startswith("#"):
            inside = _REQUIREMENTS.match(line) is not None
        elif inside and (match := _REQUIREMENT.match(line[:_LINE_CHARACTERS])):
            found.setdefault(match["name"], match["at"])
    return found


def _read_ruby_version(content: bytes) -> object:
    match = _RUBY.match(content.decode(errors="replace").strip())
    return match["version"] if match else ""


def _read_node(content: bytes) -> object:
    """Return the smallest Node.js that `engines` names; empty when it names none."""
    try:
        package = json.loads(content)
        wanted = package["engines"]["node"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    match = re.search(_NUMBER, clean(wanted)) if isinstance(wanted, str) else None
    return match[0] if match else ""


def _read_schema(content: bytes) -> object:
    """Return the newest migration, and a digest of the rest without the version of Rails and comments."""
    lines = content.decode(errors="replace").split("\n")
    version = next((match["version"] for line in lines[:100] if (match := _DEFINE.match(line))), "")
    rest = [line for line in lines if not line.startswith(("#", "ActiveRecord::Schema"))]
    return [version.replace("_", ""), _digest("\n".join(rest).encode(errors="replace"))]


_EXTRACTORS: Mapping[str, Callable[[bytes], object]] = {
    CHANGELOG: lambda content: to_json(parse_changelog(content.decode(errors="replace"))),
    README: _read_requirements,
    RUBY_VERSION: _read_ruby_version,
    PACKAGE: _read_node,
    SCHEMA: _read_schema,
}
FILES = (CHANGELOG, README, RUBY_VERSION, PACKAGE, GEMS, YARN, SCHEMA, *STREAMING)
