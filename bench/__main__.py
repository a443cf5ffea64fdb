"""`python -m bench [FIGURE…]`: measure the documented figures; exit status 1 when one is over its limit.

`--imports COMMAND` shows the modules that a command imports, with their cost.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence

from bench import check, imports, lookup, mails, memory, ready, years
from bench.figure import Amount, Ratio
from bench.stage import Stage

FIGURES: dict[str, Callable[[Stage], Ratio | Amount]] = {
    "memory": memory.measure_sqlite,
    "memory-postgresql": memory.measure_postgresql,
    "check": check.measure,
    "ready": ready.measure,
    "mails": mails.measure,
    "size": years.measure_size,
    "pace": years.measure_pace,
    "lookup": lookup.measure,
}


def main() -> int:
    """Measure the figures that the arguments name; return the exit status."""
    parser = ArgumentParser(prog="python -m bench", description="Measure the resources that the program takes.")
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"{', '.join(FIGURES)}; all by default")
    parser.add_argument("--imports", metavar="COMMAND", help="show the modules that a command imports, with their cost")
    arguments = parser.parse_args()
    if unknown := set(arguments.figures) - FIGURES.keys():
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    with Stage() as stage:
        if arguments.imports:
            return imports.show(stage, arguments.imports.split())
        return _measure(stage, arguments.figures or list(FIGURES))


def _measure(stage: Stage, names: Sequence[str]) -> int:
    are_within = []
    for name in names:
        try:
            figure = FIGURES[name](stage)
        except FileNotFoundError as error:
            print(f"{name}: not measured: {error}", flush=True)
            continue
        print(f"{name}: {figure.describe()}", flush=True)
        are_within.append(figure.is_within)
    return 0 if all(are_within) else 1


if __name__ == "__main__":
    sys.exit(main())
