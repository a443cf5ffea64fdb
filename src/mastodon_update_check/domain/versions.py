"""Mastodon's version strings: what is asked, what is newer, which branch.

The order is that of DESIGN.md, section 6: `alpha < beta < nightly < rc < release`; whatever else stands behind the
numbers is a downstream label and counts as the release it stands on. So far as RubyGems orders, it orders alike.
"""

import re
from dataclasses import dataclass, field

from packaging.version import Version

from mastodon_update_check.domain.text import clean
from mastodon_update_check.errors import InvalidVersionError

VERSION_CHARACTERS = 200
"""Longest version string that is read."""

_NUMBERS_NEEDED = 3
_NUMBERS = re.compile(r"(?P<release>[0-9]+(?:\.[0-9]+){2,})(?P<rest>.*)")
# The look-ahead keeps words such as `rcfoo` or `alphabet` out: they are labels.
_STAGE = re.compile(r"[-.]?(?P<stage>alpha|beta|rc)(?:[-.]?(?P<number>[0-9]+))?(?![a-z0-9])", re.IGNORECASE)
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
    text: str = field(compare=False)
    """What was parsed, trimmed."""

    @classmethod
    def parse(cls, text: str) -> "MastodonVersion":
        """Read a version as servers and the update server write it.

        Raises:
            InvalidVersionError: over 200 characters, not printable ASCII, or no three numbers to start with.
        """
        if len(text) > VERSION_CHARACTERS:
            raise InvalidVersionError(f"a version of {len(text)} characters (at most {VERSION_CHARACTERS})")
        if not (text.isascii() and text.isprintable()):
            raise InvalidVersionError(f"{clean(text)!r} is not a version: only printable ASCII is allowed")
        match = _NUMBERS.fullmatch(_asked(text))
        if match is None:
            raise InvalidVersionError(f"{clean(text)!r} is not a version: it does not start with three numbers")
        name, normalised = _order(_release(match["release"]), match["rest"])
        return cls(Version(normalised), name, text.strip())

    @property
    def asked(self) -> str:
        """What the update server is asked: the text before the first `+`, trimmed, without a leading `v`."""
        return _asked(self.text)

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
        """Whether this comes before its own release (alpha, beta, nightly, rc)."""
        return self.key.is_prerelease

    def __str__(self) -> str:
        return self.asked


def _asked(text: str) -> str:
    return text.split("+", 1)[0].strip().removeprefix("v").lstrip()


def _release(numbers: str) -> str:
    """Return the numbers without leading zeros, and without zeros behind the third: `4.7.0.0` is `4.7.0`."""
    parts = [str(int(number)) for number in numbers.split(".")]
    while len(parts) > _NUMBERS_NEEDED and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def _order(release: str, rest: str) -> tuple[str, str]:
    """Canonical name, and the PEP 440 text that sorts where this version belongs.

    A nightly becomes a development release of rc 0: above every beta, below every rc, by date; one without a date
    comes before all others.
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
