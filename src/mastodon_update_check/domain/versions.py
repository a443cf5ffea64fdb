"""Mastodon's version strings: the text that is sent to the update server, the order, the branch.

The order is `alpha < beta < nightly < rc < release`. Any other text behind the numbers is a downstream label: the
version counts as the release that it stands on. Where RubyGems can order versions, the order is the same.
"""

import re
from dataclasses import dataclass, field

from packaging.version import Version

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import InvalidVersionError

VERSION_CHARACTERS = 200
LABEL_CHARACTERS = 60

_PUBLISHED = re.compile(rf"v?[0-9.]+[A-Za-z0-9.+~_-]{{0,{LABEL_CHARACTERS}}}")
_UNSAFE = re.compile(r"[^A-Za-z0-9.+~_-]+")
_NUMBERS_NEEDED = 3
# Bounds, so that the canonical spelling is never longer than what is read.
_NUMBERS = re.compile(r"(?P<release>[0-9]{1,9}(?:\.[0-9]{1,9}){2,9}(?![0-9]))(?P<rest>.*)")
# The look-ahead keeps words such as `rcfoo` or `alphabet` out: they are labels.
_STAGE = re.compile(r"[-.]?(?P<stage>alpha|beta|rc)(?:[-.]?(?P<number>[0-9]{1,9}))?(?![a-z0-9])", re.IGNORECASE)
_NIGHTLY = re.compile(
    r"[-.]?nightly(?:[-.](?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2}))?(?P<security>-security)?(?![a-z0-9])",
    re.IGNORECASE,
)
_SHORT = {"alpha": "a", "beta": "b", "rc": "rc"}


@dataclass(frozen=True, slots=True, order=True)
class MastodonVersion:
    """One version of Mastodon; compares by value, build metadata and labels ignored."""

    key: Version = field(repr=False)
    name: str = field(compare=False)
    """The canonical spelling of the value: `4.3.0-beta.2`, `4.7.0-nightly.2026-07-24-security`, `4.5.9`."""
    asked: str = field(compare=False)
    """The text that is sent to the update server: all before the first `+`, trimmed, without a leading `v`."""
    metadata: str = field(compare=False, default="")
    """The build metadata behind the `+`, safe to be shown."""

    @classmethod
    def parse(cls, text: str) -> "MastodonVersion":
        """Read a version as servers and the update server write it, with any build metadata behind a `+`.

        Raises `InvalidVersionError` without three numbers at the start, or for over 200 or not printable characters.
        """
        head, _, metadata = text.partition("+")
        if len(head) > VERSION_CHARACTERS:
            raise InvalidVersionError(f"a version of {len(head)} characters (at most {VERSION_CHARACTERS})")
        if not (head.isascii() and head.isprintable()):
            raise InvalidVersionError(f"{clean(head)!r} is not a version: expected printable ASCII")
        asked = head.strip().removeprefix("v").lstrip()
        match = _NUMBERS.fullmatch(asked)
        if match is None:
            raise InvalidVersionError(f"{clean(text)!r} is not a version: expected three numbers at the start")
        name, normalised = _order(_release(match["release"]), match["rest"])
        return cls(Version(normalised), name, asked, _safe(metadata))

    @classmethod
    def parse_published(cls, text: str) -> "MastodonVersion":
        """Read a version of the update server, whose label must be fit to be shown; raise `InvalidVersionError`."""
        version = cls.parse(text)
        if not _PUBLISHED.fullmatch(text.strip()):
            raise InvalidVersionError(
                f"{clean(text)!r} is not a version: expected at most {LABEL_CHARACTERS} of the characters "
                "A-Z a-z 0-9 . + ~ _ - behind the numbers"
            )
        return version

    @property
    def text(self) -> str:
        """The whole version, safe to be shown."""
        return f"{self}+{self.metadata}" if self.metadata else str(self)

    @property
    def stored(self) -> str:
        """The form in which the ledger stores it."""
        return f"{self.asked}+{self.metadata}" if self.metadata else self.asked

    @property
    def branch(self) -> str:
        """Major and minor number, as in `4.7`."""
        return "{}.{}".format(*self.branch_key)

    @property
    def branch_key(self) -> tuple[int, int]:
        """Major and minor number, in order."""
        major, minor, *_ = self.key.release
        return major, minor

    @property
    def is_prerelease(self) -> bool:
        """Return whether this comes before its own release (alpha, beta, nightly, rc)."""
        return self.key.is_prerelease

    def __str__(self) -> str:
        """Return the version without build metadata, safe to be shown."""
        numbers = _NUMBERS.fullmatch(self.asked)
        return self.name if numbers is None else numbers["release"] + _safe(numbers["rest"])


def _safe(label: str) -> str:
    return _UNSAFE.sub("_", label[: LABEL_CHARACTERS * 4].rstrip())[:LABEL_CHARACTERS]


def _release(numbers: str) -> str:
    """Return the numbers without leading zeros, and without zeros behind the third: `4.7.0.0` is `4.7.0`."""
    parts = [str(int(number)) for number in numbers.split(".")]
    while len(parts) > _NUMBERS_NEEDED and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _order(release: str, rest: str) -> tuple[str, str]:
    """Return the canonical name, and the PEP 440 text that sorts where this version belongs.

    A nightly is a development release of rc 0, by date: above betas, below rcs; one without a date comes first.
    """
    if match := _STAGE.match(rest):
        stage, number = match["stage"].lower(), int(match["number"] or 0)
        return f"{release}-{stage}.{number}", f"{release}{_SHORT[stage]}{number}"
    if match := _NIGHTLY.match(rest):
        security = match["security"] is not None
        if match["year"] is None:
            return f"{release}-nightly", f"{release}rc0.dev0"
        date = f"{match['year']}-{match['month']}-{match['day']}"
        name = f"{release}-nightly.{date}" + ("-security" if security else "")
        return name, f"{release}rc0.dev1{date.replace('-', '')}{0 if security else 1}"
    return release, release
