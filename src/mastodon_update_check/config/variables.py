"""Variables: which names are this program's, the text of one with its place, and the problems that it causes."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from mastodon_update_check.config.settings import EMAIL, RECIPIENTS, SECRETS, VARIABLES, Disabled
from mastodon_update_check.domain.text import clean

OWN: Final = "UPDATE_CHECK_"
VERSION: Final = "MASTODON_VERSION_"
FILE: Final = "_FILE"
HIDDEN: Final = "(hidden)"
VALUE_BYTES: Final = 64 * 1024
"""Largest value, after expansion."""
FILE_BYTES: Final = 256 * 1024
"""Largest file of settings; also the most that its values may expand to together."""

_OF_FORKS = frozenset({"UPDATE_CHECK_SOURCE"})  # kmyblue's
_OF_MASTODON = frozenset(name for name in VARIABLES if not name.startswith(OWN)) | {"UPDATE_CHECK_URL"}
_OF_OTHERS = ("BULK_", "REPLICA_")  # Mastodon's too, but not read here
_NEAR = 0.88
_WEBHOOK_KEYS = ("URL", "SECRET", "PREFERENCE", "NAMES")
_WEBHOOK = re.compile(rf"({OWN}WEBHOOK(?:_([A-Z0-9]++(?:_[A-Z0-9]+)*))?)_({'|'.join(_WEBHOOK_KEYS)})")
_GOT_CHARACTERS = 60
_PROBLEMS_OF_A_FEATURE = 5
"""Problems that are kept of each feature: Mastodon's files may have thousands."""
_FEATURES = {
    "SMTP_": EMAIL,
    "DB_": RECIPIENTS,
    "DATABASE_": RECIPIENTS,
    "MASTODON_VERSION_": "a part of the version",
    "SELF_DESTRUCT": "checking",
    "UPDATE_CHECK_URL": "the update server of Mastodon's file",
    "UPDATE_CHECK_MASTODON_ENV_FILE": "one of Mastodon's files",
    "LOCAL_DOMAIN": "the domain of Mastodon's file",
    "WEB_DOMAIN": "the domain of Mastodon's file",
}
"""The parts of the program that values of Mastodon's files can disable, by the beginning of the name."""


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
        feature = next((each for start, each in _FEATURES.items() if name.startswith(start)), "the proxy")
        if sum(each.feature == feature for each in self.disabled) < _PROBLEMS_OF_A_FEATURE:
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


def webhook_name(name: str) -> tuple[str, str] | None:
    """Return the parts of the name of a webhook's variable, such as `UPDATE_CHECK_WEBHOOK_OPS` and `URL`."""
    match = _WEBHOOK.fullmatch(name)
    return (match[1], match[3]) if match and match[2] not in _WEBHOOK_KEYS else None


def is_relevant(name: str) -> bool:
    """Return whether a variable of the environment or of our own file can be one of this program's."""
    return target(name) in VARIABLES or (name.startswith((OWN, VERSION)) and name not in _OF_FORKS)


def is_taken_from_mastodon(name: str) -> bool:
    """Return whether a variable of Mastodon's files is read; those that name a file with a secret are not."""
    return name in _OF_MASTODON or name.startswith(VERSION)


def is_secret(name: str) -> bool:
    """Return whether a variable may be given in a file of its own, or as a credential."""
    return name in SECRETS or (name.endswith(("_URL", "_SECRET")) and webhook_name(name) is not None)


def target(name: str) -> str:
    """Return the variable that `name` sets: itself, or for `NAME_FILE` of a secret its `NAME`."""
    base = name.removesuffix(FILE)
    return base if base != name and is_secret(base) else name


def shown(name: str, text: str) -> str:
    """Return what may be shown of a variable's text: nothing of a secret, of other packages' only preferences."""
    is_open = name in VARIABLES or name.startswith(VERSION) or webhook_name(name) is not None
    is_open = is_open or name.endswith("_PREFERENCE")
    if name == "UPDATE_CHECK_LEDGER" and "://" not in text:  # a path; what may hold a password is a URL
        return clean(text)
    if is_secret(name) or not is_open or "@" in text.partition("://")[2]:
        return HIDDEN
    return clean(text)


def sink_prefix(sink: str) -> str:
    """Return what the variables of a sink begin with."""
    return f"{OWN}{re.sub('[^A-Z0-9]', '_', sink.upper())}_"


def owner(name: str, sinks: Iterable[str]) -> str | None:
    """Return the sink that a variable belongs to: of several, the one with the longest name."""
    return max((sink for sink in sinks if name.startswith(sink_prefix(sink))), key=len, default=None)


def strangers(names: Iterable[str]) -> list[str]:
    """Return the names that begin like ours, but are neither known nor a webhook's: of other sinks, or wrong."""
    return [name for name in names if name.startswith(OWN) and not (name in VARIABLES or webhook_name(name))]


def describe_stranger(stranger: str, names: Collection[str]) -> str:
    """Return the sentence about an unknown name; `names` are those that are set as well."""
    if stranger.startswith(sink_prefix("email")):
        return "unknown variable: mail is configured with SMTP_SERVER and Mastodon's other SMTP_ variables"
    webhooks = {"UPDATE_CHECK_WEBHOOK", *(parts[0] for name in names if (parts := webhook_name(name)))}
    known = [name for name in VARIABLES if name.startswith(OWN)]
    known += [f"{webhook}_{key}" for webhook in webhooks for key in _WEBHOOK_KEYS]
    meant = nearest(stranger.upper(), known, offset=len(OWN))
    hint = f"did you mean {meant}?" if meant else "remove it, or install the package of the sink that it belongs to"
    return f"unknown variable: {hint}"


def nearest(wrong: str, known: Collection[str], *, offset: int = 0, likeness: float = 0.6) -> str | None:
    """Return the known name that a wrong one resembles, without regard to their first `offset` characters."""
    ends = {name[offset:]: name for name in sorted(known)}
    matches = difflib.get_close_matches(wrong[offset:], ends, n=1, cutoff=likeness)
    return next((ends[end] for end in matches), None)


def near_miss(name: str) -> str | None:
    """Return Mastodon's variable that an irrelevant name was probably meant to be."""
    if is_relevant(name) or name.startswith(_OF_OTHERS):
        return None
    return nearest(name, _OF_MASTODON, likeness=_NEAR)
