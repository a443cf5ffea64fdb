"""What was found where: the text of a variable with its place, and the problems that were found with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mastodon_update_check.config.reading import VALUE_BYTES, is_utf8, size_bytes
from mastodon_update_check.domain.text import clean


@dataclass(frozen=True, slots=True)
class Found:
    """The text of one variable; it may be a secret, so it is never shown."""

    text: str = field(repr=False)
    place: str
    """Where it stands: `environment`, `/etc/mastodon-update-check/config.env, line 12`."""

    @property
    def is_blank(self) -> bool:
        """Whether it counts as not set."""
        return not self.text.strip()


Layer = Mapping[str, Found]
"""The variables of one source, by name."""


class Problems:
    """What is wrong, collected: an administrator sees all of it at once."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.names: set[str] = set()
        """Variables that are set, but not usable: what follows from that is not worth a sentence of its own."""

    def add(self, name: str, place: str, defect: str, *, about: str = "") -> None:
        """Add the sentence that begins with a variable and its place, and goes on with `defect`.

        Args:
            name: the variable as it is written.
            place: where it is written.
            defect: what is wrong and what is allowed, without a full stop; never the value.
            about: the variable that cannot be used for it, if that is another.
        """
        stop = "" if defect.endswith("?") else "."
        self.sentences.append(f"{clean(name)} ({clean(place)}) {defect}{stop}")
        self.names.add(about or name)


def usable(layer: Layer, problems: Problems) -> Layer:
    """Return what can be read as text; the rest is added to `problems`."""
    kept = {}
    for name, found in layer.items():
        if size_bytes(found.text) > VALUE_BYTES:
            problems.add(name, found.place, f"is too long: at most {VALUE_BYTES} bytes are allowed")
        elif not is_utf8(found.text):
            problems.add(name, found.place, "is not UTF-8: text in this encoding is allowed")
        else:
            kept[name] = found
    return kept
