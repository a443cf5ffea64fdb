"""A claim: a reference and our program, measured in turn, and the most that the ratio of the two may be."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What was measured for one claim; the ratios are taken pair by pair, so that a busy machine hits both alike."""

    name: str
    reference_name: str
    our_name: str
    unit: str
    pairs: tuple[tuple[float, float], ...]
    """The reference's figure and ours, one pair a round."""
    limit: float

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours in terms of the reference, round by round."""
        return tuple(ours / reference for reference, ours in self.pairs)

    @property
    def is_held(self) -> bool:
        """Whether the median is within the limit."""
        return median(self.ratios) <= self.limit

    def describe(self) -> str:
        """Return the claim and its figures, for a reader."""
        reference, ours = (median(figures) for figures in zip(*self.pairs, strict=True))
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f} in {len(self.pairs)} pairs"
        return (
            f"{self.name}: {self.our_name}\n"
            f"  reference  {reference:7.1f} {self.unit}  {self.reference_name}\n"
            f"  ours       {ours:7.1f} {self.unit}\n"
            f"  ratio      {median(self.ratios):7.2f}     ({spread}); limit {self.limit:.2f}: "
            f"{'ok' if self.is_held else 'OVER'}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A claim that needs no reference: something, and the most that there may be of it."""

    name: str
    what: str
    unit: str
    figure: float
    limit: float

    @property
    def is_held(self) -> bool:
        """Whether it is within the limit."""
        return self.figure <= self.limit

    def describe(self) -> str:
        """Return the claim and its figure, for a reader."""
        verdict = "ok" if self.is_held else "OVER"
        return f"{self.name}: {self.what}\n  {self.figure:.2f} {self.unit}; limit {self.limit:.2f}: {verdict}"


def alternate(
    reference: Callable[[], float], ours: Callable[[], float], rounds: int
) -> tuple[tuple[float, float], ...]:
    """Measure both once for nothing (caches, bytecode), then in turn."""
    reference(), ours()
    return tuple((reference(), ours()) for _ in range(rounds))
