"""The text of a variable with its place, and the problems and warnings that it causes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from mastodon_update_check.domain.text import clean

VALUE_BYTES = 64 * 1024
"""Largest value, after expansion."""
FILE_BYTES = 256 * 1024
"""Largest file of settings; also the most that its values may expand to together."""
ENVIRONMENT = "the environment"
HIDDEN = "(hidden)"
_GOT_CHARACTERS = 60
Value = TypeVar("Value")
_PROBLEMS_OF_A_FEATURE = 5
"""Problems that are kept of each feature: Mastodon's files may have thousands."""


class UnexpectedValueError(ValueError):
    """A value that cannot be used: the text continues a sentence after "expected"."""

    def __init__(self, expected: str, got: str | None = None) -> None:
        """Take the expectation; `got` replaces the value as it is written, and must not hold a secret."""
        super().__init__(expected)
        self.got = got


@dataclass(frozen=True, slots=True)
class Found:
    """The text of one variable; it may be a secret, so it is never shown."""

    text: str = field(repr=False)
    place: str
    """Where it is set: `the environment`, `/etc/mastodon-update-check/config.env, line 12`."""
    is_trusted: bool = True
    """Whether the administrator set it; Mastodon's files belong to another user."""

    @property
    def is_blank(self) -> bool:
        """Whether it counts as not set."""
        return not self.text.strip()


Layer = Mapping[str, Found]
"""The variables of one source, by name."""


class Feature(StrEnum):
    """A part of the program that a value of Mastodon's files can disable."""

    CHECKS = "checking"
    EMAIL = "email"
    RECIPIENTS = "the recipient lookup"
    PROXY = "the proxy"
    UPDATE_SERVER = "the update server of Mastodon's file"
    DOMAIN = "the domain of Mastodon's file"
    VERSION = "a part of the version"
    FILE = "one of Mastodon's files"


_FEATURES = {
    "SMTP_": Feature.EMAIL,
    "DB_": Feature.RECIPIENTS,
    "DATABASE_": Feature.RECIPIENTS,
    "MASTODON_VERSION_": Feature.VERSION,
    "SELF_DESTRUCT": Feature.CHECKS,
    "UPDATE_CHECK_URL": Feature.UPDATE_SERVER,
    "UPDATE_CHECK_MASTODON_ENV_FILE": Feature.FILE,
    "LOCAL_DOMAIN": Feature.DOMAIN,
    "WEB_DOMAIN": Feature.DOMAIN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """Something that a value of Mastodon's files disables, because the value cannot be used."""

    feature: Feature
    problem: str
    """The whole sentence without its full stop: variable, place, what was expected and what was found."""

    def __str__(self) -> str:
        return f"{self.feature} is disabled: {self.problem}"


class Problems:
    """Everything that is wrong, collected: an administrator sees all of it at once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        """Problems of the environment and of our own file, which end the program."""
        self.disabled: list[Disabled] = []
        """The parts that Mastodon's files disable."""
        self.warnings: list[str] = []
        self.names: set[str] = set()
        """Variables that are set but cannot be used: nothing that follows from that needs a sentence of its own."""

    def add(self, name: str, found: Found, sentence: str, *, about: str = "") -> None:
        """Add a problem with a variable; one that is not trusted only disables what needs it.

        `sentence` is the rest after name and place, without a full stop and never a secret. `about` is the variable
        that cannot be used because of it, if that is another.
        """
        self.names.add(about or name)
        problem = f"{clean(name)} in {clean(found.place)}: {sentence}"
        if found.is_trusted:
            self.sentences.append(problem if problem.endswith("?") else f"{problem}.")
        else:
            self.disable(name, problem)

    def disable(self, name: str, problem: str) -> None:
        """Disable what a variable of Mastodon's files is for."""
        feature = next((each for start, each in _FEATURES.items() if name.startswith(start)), Feature.PROXY)
        if sum(each.feature is feature for each in self.disabled) < _PROBLEMS_OF_A_FEATURE:
            self.disabled.append(Disabled(feature=feature, problem=problem))

    def parse(self, name: str, found: Found, parser: Callable[[str], Value], shown: str) -> Value | None:
        """Return the value of a variable; None, and a problem, when it cannot be used. See `refuse`."""
        try:
            return parser(found.text)
        except ValueError as error:
            self.refuse(name, found, error, shown)
            return None

    def refuse(self, name: str, found: Found, error: ValueError, shown: str) -> None:
        """Add what a parser expected of a variable; `shown` is the part of its value that may be shown."""
        quoted = "a value that is not shown" if shown == HIDDEN else f'"{clean(shown, _GOT_CHARACTERS)}"'
        self.add(name, found, f"expected {error}, {getattr(error, 'got', None) or f'got {quoted}'}")

    def warn(self, name: str, found: Found, sentence: str) -> None:
        """Add a warning about a variable that is used all the same."""
        self.warnings.append(f"{clean(name)} in {clean(found.place)}: {sentence}")


def usable(layer: Layer, problems: Problems) -> Layer:
    """Return what can be read as text; the rest is added to `problems`."""
    kept = {}
    for name, found in layer.items():
        if size_bytes(found.text) > VALUE_BYTES:
            problems.add(name, found, f"expected at most {VALUE_BYTES} bytes, got more")
        elif any("\ud800" <= char <= "\udfff" for char in found.text):  # a byte that is not UTF-8
            problems.add(name, found, "expected text in UTF-8, got another encoding")
        else:
            kept[name] = found
    return kept


def size_bytes(text: str) -> int:
    """Return the size of `text` as it was read."""
    return len(text.encode(errors="surrogatepass"))
