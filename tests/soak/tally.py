"""The figures of a soak run."""

import time
from collections import Counter
from dataclasses import dataclass, field

from simulators.collector import Account


@dataclass(slots=True)
class Tally:
    """The tasks that have run, and their results."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """Violations, each with the task that shows it."""
    steps_of: int = 0
    """Number of all steps."""
    began: float = field(default_factory=time.monotonic)

    def take(self, name: str, account: Account) -> None:
        """Count the arrivals of one task."""
        self.counts["notified"] += len(account.delivered)
        self.counts["lost"] += len(account.lost)
        self.counts["unwanted"] += len(account.unwanted)
        self.counts["outside"] += len(account.repeats)
        self.counts["inside"] += len(account.excused)
        self.counts["left out"] += len(account.left_out)
        self.faults += [f"{name}: {fault}" for fault in account.faults]

    def add(self, other: "Tally") -> None:
        """Add the counts of another process; print violations at once."""
        self.counts += other.counts
        self.faults += other.faults
        for fault in other.faults:
            print(f"FAULT  {fault}", flush=True)

    def describe(self) -> str:
        """Return the figures, a line each."""
        count = self.counts
        broken = len(self.faults) - count["lost"] - count["unwanted"] - count["outside"]
        figures = {
            "minutes": f"{(time.monotonic() - self.began) / 60:.1f}",
            "kills by SIGKILL": f"{count['kills']:,}",
            "steps killed at": f"{count['steps']:,} of {self.steps_of:,}",
            "seeds": f"{count['seeds']:,}",
            "of these with new interpreters only": f"{count['new']:,}",
            "runs of the program": f"{count['runs']:,}",
            "examples of the model": f"{count['examples']:,}",
            "notices delivered": f"{count['notified']:,}",
            "lost": f"{count['lost']:,}",
            "delivered without being true": f"{count['unwanted']:,}",
            "repeats outside the windows": f"{count['outside']:,}",
            "repeats inside them, with the same id": f"{count['inside']:,}",
            "repeats of rows that a used id lacked": f"{count['left out']:,}",
            "other violations": f"{broken:,}",
        }
        return "\n".join(f"{name + ':':<46}{value:>16}" for name, value in figures.items())
