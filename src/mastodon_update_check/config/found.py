"""The text of a variable with its place, and the problems and warnings that it causes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from mastodon_update_check.config.names import HIDDEN, shown
from mastodon_update_check.config.settings import Disabled, Feature
from mastodon_update_check.domain.text import clean

VALUE_BYTES = 64 * 1024
"""Largest value, after expansion."""
FILE_BYTES = 256 * 1024
"""Largest file of settings; also the most that its values may expand to together."""
ENVIRONMENT = "the environment"
_GOT_CHARACTERS = 60
_PROBLEMS_OF_A_FEATURE = 5
"""Problems that are kept of each feature: Mastodon's files may have thousands."""
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

    @contextmanager
    def parsing(self, name: str, found: Found) -> Iterator[None]:
        """Add what a parser expects of a variable, as its `ValueError` says; the rest of the block is left out."""
        try:
            yield
        except ValueError as error:
            self.refuse(name, found, str(error), getattr(error, "got", None))

    def refuse(self, name: str, found: Found, expected: str, got: str | None = None) -> None:
        """Add a problem with a value; `got` replaces what may be shown of it."""
        text = shown(name, found.text)
        quoted = "a value that is not shown" if text == HIDDEN else f'"{clean(text, _GOT_CHARACTERS)}"'
        self.add(name, found, f"expected {expected}, {got or f'got {quoted}'}")

    def warn(self, name: str, found: Found, sentence: str) -> None:
        """Add a warning about a variable that is used all the same."""
        self.warnings.append(f"{clean(name)} in {clean(found.place)}: {sentence}")


def usable(layer: Layer, problems: Problems) -> dict[str, Found]:
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
