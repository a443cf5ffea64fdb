"""Mastodon's tree: its version, its migrations, when its files changed, and how it was installed.

The version is in `lib/mastodon/version.rb` of 3.5 to 4.7 and of the forks. Up to 4.3 the file says it all, from 4.4 on
it asks `config/mastodon.yml`; both ask the environment. Nothing is executed. No link within the tree is followed
(`setup` reads it as root), only regular files of up to 64 KiB are read.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from mastodon_update_check.domain.text import clean
from mastodon_update_check.domain.upgrades import InstallKind
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError, InvalidVersionError
from mastodon_update_check.files import is_missing, opened_beneath, read_opened
from mastodon_update_check.mastodon.ruby_values import UnreadableError
from mastodon_update_check.mastodon.version_file import LINE_CHARACTERS, VersionReader, find_methods

FILE_BYTES = 64 * 1024
VERSION_FILE = "lib/mastodon/version.rb"
SETTINGS_FILE = "config/mastodon.yml"
MIGRATIONS_KEPT = 200
"""Of the pending ones: each row of a notice has them."""
NAMES_READ = 10_000
"""Of each directory; Mastodon has about 600 migrations."""
_STREAMING_FILES = ("streaming/package.json", "streaming/index.js")
_MIGRATIONS = ("db/migrate", "db/post_migrate")
_MIGRATION = re.compile(r"(?P<version>[0-9]{14})_[A-Za-z0-9_]{1,200}\.rb")
_WAY_OUT = "UPDATE_CHECK_MASTODON_VERSION can say the version instead"
# The version in Mastodon's own settings file, for trees that have none.
_SETTINGS = """
shared:
  version:
    metadata: <%= ENV.fetch('MASTODON_VERSION_METADATA', nil) %>
    prerelease: <%= ENV.fetch('MASTODON_VERSION_PRERELEASE', nil) %>
"""
_ENTRY = re.compile(r"(?P<indent> *)(?P<key>\w+):(?:\s+(?P<value>.*))?")
_ERB = re.compile(r"<%=(.*?)%>")


def read_tree_version(root: Path, environment: Mapping[str, str]) -> MastodonVersion:
    """Return the version that the tree at `root`, perhaps a link, would run as with Mastodon's `MASTODON_VERSION_…`.

    Raises `CheckError`, which names the file, what is wrong with it, and the setting that makes it unnecessary.
    """
    path = root / VERSION_FILE
    source = _read(root, VERSION_FILE)
    if source is None:
        raise _error(f"{path} does not exist: UPDATE_CHECK_MASTODON_ROOT must be Mastodon's tree")
    settings = _read_settings(root, environment)
    methods = find_methods(source)
    if "to_s" not in methods:
        raise _error(f"{path} has no method 'to_s'")
    try:
        return MastodonVersion.parse(VersionReader(environment, methods, settings).read("to_s"))
    except UnreadableError as error:
        raise _error(f"{path} cannot be read as Mastodon's: {error}") from error
    except InvalidVersionError as error:
        raise _error(f"{path}: {error}") from error


def _error(detail: str) -> CheckError:
    return CheckError(Cause.VERSION, f"{detail}; {_WAY_OUT}")


def _read(root: Path, name: str) -> str | None:
    """Return the text of a file of the tree, or None when the file does not exist."""
    try:
        with opened_beneath(root, name) as file:
            content = read_opened(file, FILE_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _error(f"{root / name} cannot be read: {(error.strerror or 'unknown').lower()}") from error
    except ValueError as error:
        raise _error(f"{root / name} is longer than {FILE_BYTES:,} bytes") from error
    return content.decode(errors="replace")


def _read_settings(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the section `version` of `config/mastodon.yml`: `production` before `shared`, as Rails merges them."""
    entries = dict(_entries(_read(root, SETTINGS_FILE) or _SETTINGS))
    reader, found = VersionReader(environment), dict[str, str]()
    for section in ("shared", "production"):
        for path, value in entries.items():
            if path[:2] == (section, "version"):
                try:
                    found[path[-1]] = _scalar(_ERB.sub(lambda match: reader.read(match[1]), value))
                except UnreadableError as error:
                    if path[-1] != "metadata":
                        raise _error(f"{root / SETTINGS_FILE} cannot be read as Mastodon's: {error}") from error
    return found


def _entries(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the values of a YAML file of nested mappings, by the path of their keys."""
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        if len(line) <= LINE_CHARACTERS and (entry := _ENTRY.fullmatch(line)):
            indent = len(entry["indent"])
            above = [*((depth, key) for depth, key in above if depth < indent), (indent, entry["key"])]
            if entry["value"]:
                yield tuple(key for _, key in above), entry["value"]


def _scalar(text: str) -> str:
    """Return a scalar as YAML reads one that is part of a version; empty for null."""
    text = text.strip()
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError as error:
            raise UnreadableError(f"{clean(text, 40)} is not understood") from error
    if text.startswith("'"):
        return text.strip("'")
    plain = re.split(r"(?:^|\s)#", text)[0].strip()
    return "" if plain in {"~", "null"} else plain


def list_migrations(root: Path) -> frozenset[str] | None:
    """Return the versions of the migrations in the tree at `root`; None when they cannot be seen."""
    found: set[str] = set()
    for directory in _MIGRATIONS:
        try:
            with opened_beneath(root, directory) as opened, os.scandir(f"/proc/self/fd/{opened}") as entries:
                names = [entry.name for entry in islice(entries, NAMES_READ + 1)]
        except FileNotFoundError:
            continue
        except OSError:
            return None
        if len(names) > NAMES_READ:
            return None
        found |= {match["version"] for name in names if (match := _MIGRATION.fullmatch(name))}
    return frozenset(found) or None


def pending_migrations(root: Path, run: frozenset[str] | None) -> tuple[str, ...] | None:
    """Return the newest migrations of the tree that the database has not run, in order; None when that is unknown.

    A database that has run none of the tree's belongs to another tree.
    """
    listed = list_migrations(root) if run else None
    if run is None or listed is None or not listed & run:
        return None
    return tuple(sorted(listed - run)[-MIGRATIONS_KEPT:])


def tree_changed_at(root: Path) -> datetime | None:
    """Return when the version file changed, as at an upgrade; None when it cannot be seen."""
    return _changed_at(root, [VERSION_FILE])


def streaming_changed_at(root: Path) -> datetime | None:
    """Return when the files of streaming changed; git leaves them alone in upgrades that do not concern streaming."""
    return _changed_at(root, _STREAMING_FILES) or tree_changed_at(root)


def _changed_at(root: Path, names: Iterable[str]) -> datetime | None:
    instants = []
    for name in names:
        try:
            with opened_beneath(root, name) as descriptor:
                instants.append(datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC))
        except (OSError, ValueError, OverflowError):  # it is missing, or has a time that no calendar knows
            continue
    return max(instants, default=None)


def detect_kind(root: Path, installed: MastodonVersion | None, system: Path = Path("/")) -> InstallKind:
    """Return what kind of installation this is; what a fork appends to the installed version gives it away."""
    if (system / "etc/NIXOS").exists():
        return InstallKind.NIXOS
    if (system / "etc/yunohost").exists():
        return InstallKind.YUNOHOST
    if is_missing(root):
        return InstallKind.DOCKER
    if installed is not None and installed.text.removeprefix("v") != installed.name:
        return InstallKind.FORK
    return InstallKind.SOURCE
