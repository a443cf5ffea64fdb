"""The figures of a soak run."""

import time
from collections import Counter
from dataclasses import dataclass, field

from simulators.collector import Account


@dataclass(slots=True)
class Tally:
    """What has been done, and what came of it."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    """What must not be, each with the task that shows it."""
    steps_of: int = 0
    """How many steps there are."""
    began: float = field(default_factory=time.monotonic)

    def take(self, name: str, account: Account) -> None:
        """Count what everybody has got by the end of one task."""
        self.counts["rows told"] += len(account.told)
        self.counts["lost"] += len(account.lost)
        self.counts["unwanted"] += len(account.unwanted)
        self.counts["outside"] += len(account.repeats)
        self.counts["inside"] += len(account.excused)
        self.counts["left out"] += len(account.left_out)
        self.faults += [f"{name}: {fault}" for fault in account.faults]

    def add(self, other: "Tally") -> None:
        """Add what another process has counted; say at once what is wrong."""
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
            "of these with every process started anew": f"{count['anew']:,}",
            "runs of the program": f"{count['runs']:,}",
            "examples of the model": f"{count['examples']:,}",
            "rows told": f"{count['rows told']:,}",
            "lost": f"{count['lost']:,}",
            "told without being true": f"{count['unwanted']:,}",
            "repeats outside the windows": f"{count['outside']:,}",
            "repeats inside them, each with the same id": f"{count['inside']:,}",
            "repeats of what an id was used up without": f"{count['left out']:,}",
            "ended in another way": f"{broken:,}",
        }
        return "\n".join(f"{name + ':':<46}{value:>16}" for name, value in figures.items())
