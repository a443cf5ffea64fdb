"""When a notice is repeated: after given times, then weekly."""

from collections.abc import Sequence
from datetime import timedelta

WEEK = timedelta(days=7)


def count_due(elapsed: timedelta, first: Sequence[timedelta]) -> int:
    """Return how many repetitions are due: those of `first`, in order, and one for each week after the last of them."""
    return sum(due <= elapsed for due in first) + max((elapsed - first[-1]) // WEEK, 0)


def due_after(number: int, first: Sequence[timedelta]) -> timedelta:
    """Return after which time repetition `number`, from 1, is due."""
    return first[min(number, len(first)) - 1] + max(number - len(first), 0) * WEEK
