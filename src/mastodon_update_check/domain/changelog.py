"""Security entries of Mastodon's changelog: the fixes of each release, with the ids of their advisories.

The text comes from outside: every line is cut before it is searched, and every pattern is linear.
"""

import re
from contextlib import suppress
from dataclasses import dataclass

from mastodon_update_check.domain.text import clean, without_links
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import InvalidVersionError

RELEASES_READ = 2_000
ENTRIES_READ = 100
ENTRY_CHARACTERS = 2_000
IDS_KEPT = 20

_HEADING = re.compile(r"##(?!#)[ \t]*\[?v?(?P<version>[^\]\s]{0,60})")
_SECTION = re.compile(r"###[ \t]+(?P<name>\w+)")
_BULLET = re.compile(r"[-*][ \t]+(?P<text>\S.*)")
_LINK = re.compile(r"\[(?P<label>[^\[\]]*)\]\((?P<url>[^\[\]()\s]*)\)")
_ID = re.compile(r"GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}(?![\w-])|CVE-[0-9]{4}-[0-9]{4,7}(?![\w-])")
_IN_BRACKETS = re.compile(r"(?<! ) *\(([^()]*)\)")
_REFERENCE = re.compile(r"\b(?:GHSA|CVE)\b|#[0-9]|\bby @")
_ID_OR_LABEL = re.compile(r"(?:GHSA|CVE)(?:-[\w-]{1,30})?[,.]?")
_DEPENDENCIES = re.compile(r"(?:updated?|bump(?:ed)?|upgraded?) dependenc", re.IGNORECASE)
_CONTAINER = re.compile(r"\b(?:container|docker) images?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One security fix."""

    text: str
    """One clean line without the ids, such as `Fix SSRF protection bypass`."""
    ids: tuple[str, ...] = ()
    """Of its advisories: `GHSA-…` or `CVE-…`."""
    is_container_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Changelog:
    """The security entries of one tree's changelog."""

    entries: tuple[tuple[MastodonVersion, Fix], ...] = ()
    newest: MastodonVersion | None = None


def parse_changelog(text: str) -> Changelog:
    """Read the security entries, newest release first; what cannot be read is left out."""
    version: MastodonVersion | None = None
    newest: MastodonVersion | None = None
    in_security = False
    releases = 0
    found: list[tuple[MastodonVersion, str]] = []
    for line in (whole[:ENTRY_CHARACTERS] for whole in text.split("\n")):
        if match := _HEADING.match(line):
            releases += 1
            if releases > RELEASES_READ:
                break
            version, in_security = None, False
            with suppress(InvalidVersionError):
                version = MastodonVersion.parse(match["version"])
            newest = max((one for one in (newest, version) if one is not None), default=None)
        elif line.startswith("#"):
            section = _SECTION.match(line)
            in_security = section is not None and section["name"].lower() == "security"
        elif not in_security or version is None:
            continue
        elif match := _BULLET.match(line):
            if len(found) == ENTRIES_READ:
                break
            found.append((version, match["text"]))
        elif line[:1].isspace() and found and found[-1][0] is version:
            continued = f"{found[-1][1]}\n{line.strip()}"
            found[-1] = version, continued[:ENTRY_CHARACTERS]
    entries = ((version, fix) for version, text in found if (fix := _parse_entry(text)) is not None)
    return Changelog(entries=tuple(entries), newest=newest)


def _parse_entry(text: str) -> Fix | None:
    """Read one entry; None for updated dependencies, which are not a fix of Mastodon's."""
    first = text.partition("\n")[0]
    if _DEPENDENCIES.match(first):
        return None
    # A link whose label has no id is known by the id in its URL.
    plain = _LINK.sub(lambda link: link["label"] if _ID.search(link["label"]) else link["url"], text)
    return Fix(
        text=_describe(first) or "No description",
        ids=tuple(dict.fromkeys(_ID.findall(plain)))[:IDS_KEPT],
        is_container_only=_CONTAINER.search(first) is not None,
    )


def _describe(line: str) -> str:
    """Return the entry in words, without ids, links, numbers of changes and names of authors."""
    labels = _LINK.sub(lambda link: link["label"], line)
    plain = _IN_BRACKETS.sub(lambda part: "" if _REFERENCE.search(part[1]) else part[0], labels)
    words = plain.rstrip(" .,\\").split()
    while words and _ID_OR_LABEL.fullmatch(words[-1]) and words[-2:-1] not in (["fix"], ["for"]):
        words.pop()
    return clean(without_links(" ".join(words)))


def find_fixes(offered: Changelog, version: MastodonVersion, own: Changelog, installed: MastodonVersion) -> list[Fix]:
    """Return what `version` fixes that is not in the installed release's `own` changelog already, newest first."""
    seen = {key for fixed_in, fix in own.entries if fixed_in <= installed for key in _keys(fix)}
    fixes: list[Fix] = []
    for fixed_in, fix in sorted(offered.entries, key=lambda one: one[0], reverse=True):
        keys = _keys(fix)
        if installed < fixed_in <= version and not keys <= seen:
            fixes.append(fix)
            seen |= keys
    return fixes


def _keys(fix: Fix) -> set[str]:
    return set(fix.ids) or {fix.text.casefold()}
