"""`python -m bench`: measure every claim; exit code 1 when one is over its limit.

`--imports COMMAND` shows instead what the modules cost that a command loads.
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable

from bench import check, database, growth, imports, ledgers, mails, memory, planning, ready, years
from bench.claim import Amount, Claim
from bench.stage import Stage

CLAIMS: dict[str, Callable[..., Claim | Amount]] = {
    "memory": memory.measure,
    "ready": ready.measure,
    "check": check.measure,
    "lookup": database.measure_size,
    "plan": planning.measure,
    "mails": mails.measure,
    "growth": growth.measure,
    "years": years.measure_size,
    "pace": years.measure_pace,
}


def main() -> int:
    """Measure what the arguments name; return the exit code."""
    parser = ArgumentParser(prog="python -m bench", description="Measure what this program costs, as ratios.")
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=f"{', '.join(CLAIMS)}; all by default")
    parser.add_argument("--rounds", type=int, metavar="N", help="pairs to measure for each claim")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--imports", metavar="COMMAND", help="only show what a command's modules cost to load")
    other.add_argument("--ledgers", action="store_true", help="only show SQLite and PostgreSQL side by side")
    arguments = parser.parse_args()
    if unknown := set(arguments.claims) - CLAIMS.keys():
        parser.error(f"no such claim: {', '.join(sorted(unknown))}")
    with Stage() as stage:
        if arguments.imports:
            return imports.show(stage, arguments.imports.split())
        if arguments.ledgers:
            return ledgers.show(stage)
        code = _judge(stage, arguments.claims or list(CLAIMS), arguments.rounds)
        return code if arguments.claims else max(code, ledgers.show(stage))


def _judge(stage: Stage, names: list[str], rounds: int | None) -> int:
    held = []
    for name in names:
        claim = CLAIMS[name](stage, rounds) if rounds else CLAIMS[name](stage)
        print(claim.describe(), flush=True)
        held.append(claim.is_held)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
