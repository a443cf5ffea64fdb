"""Figures: a ratio of our program to a reference, both measured in turn; or an amount. Each has a limit."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """The ratio is taken pair by pair, so that other load on the machine affects both sides."""

    ours: str
    reference: str
    unit: str
    pairs: tuple[tuple[float, float], ...]
    """The reference's figure and ours, one pair a round."""
    limit: float

    @property
    def _ratios(self) -> tuple[float, ...]:
        return tuple(ours / reference for reference, ours in self.pairs)

    @property
    def is_within(self) -> bool:
        """Whether the median is within the limit."""
        return median(self._ratios) <= self.limit

    def describe(self) -> str:
        """Return the figures as text."""
        reference, ours = (median(figures) for figures in zip(*self.pairs, strict=True))
        spread = f"{min(self._ratios):.2f} to {max(self._ratios):.2f} in {len(self.pairs)} pairs"
        return (
            f"{self.ours}\n"
            f"  reference  {reference:7.1f} {self.unit}  {self.reference}\n"
            f"  ours       {ours:7.1f} {self.unit}\n"
            f"  ratio      {median(self._ratios):7.2f}     ({spread}); {_judge(self.limit, is_within=self.is_within)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A figure that needs no reference."""

    ours: str
    unit: str
    amount: float
    limit: float

    @property
    def is_within(self) -> bool:
        """Whether it is within the limit."""
        return self.amount <= self.limit

    def describe(self) -> str:
        """Return the figure as text."""
        return f"{self.ours}\n  {self.amount:.1f} {self.unit}; {_judge(self.limit, is_within=self.is_within)}"


def _judge(limit: float, *, is_within: bool) -> str:
    return f"limit {limit:.2f}: {'within' if is_within else 'OVER'}"


def alternate(
    reference: Callable[[], float], ours: Callable[[], float], rounds: int
) -> tuple[tuple[float, float], ...]:
    """Measure both once without counting (caches, bytecode), then in turn."""
    reference(), ours()
    return tuple((reference(), ours()) for _ in range(rounds))
