"""What the program prints, as a file that can be read and compared: commands, output, exit codes, nothing volatile.

Standard error stands after standard output, with `2> ` before each line. What several threads write comes in any
order, so those lines are sorted: log lines, the verdicts of `send-test`, and the mails that were not accepted.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from end_to_end.world import World

DIRECTORY = Path(__file__).parents[1] / "transcripts"
_MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
)
_VOLATILE = (
    (r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "<time>"),
    (r"\b20\d{6}T\d{6}Z", "<time>"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC", "<time>"),
    (rf"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d{{1,2}} ({_MONTHS}) \d\d:\d\d UTC", "<time>"),
    (r"\b\d\d:\d\d UTC", "<time>"),
    (r"20\d\d-\d\d-\d\d", "<date>"),
    (rf"\b\d{{1,2}} ({_MONTHS})( 2\d\d\d)?\b", "<date>"),
    (r"\b[0-9a-f]{32}\b", "<id>"),
    (r"(127\.0\.0\.1|localhost):\d+", r"\1:<port>"),
    (r"SMTP_PORT=\d+", "SMTP_PORT=<port>"),
    (r"(took=|last_good_check=|127\.0\.0\.1, )\d+(\.\d+)?", r"\1<n>"),
    (r"support_days=-?\d+", "support_days=<n>"),
    (r"\(\d+ days left\)", "(<n> days left)"),
)


def write(world: World, commands: Iterable[str]) -> str:
    """Run the commands, one after the other; return the transcript."""
    return "\n".join(_one(world, command) for command in commands)


def _one(world: World, command: str) -> str:
    finished = world.run(*command.split())
    out, err = (_normalise(text, world).splitlines() for text in (finished.out, finished.err))
    lines = [f"$ mastodon-update-check {command}", *_arrange_out(out, command), *_arrange_err(err, command)]
    return "\n".join([*lines, f"[exit {finished.code}]"]) + "\n"


def _arrange_out(lines: list[str], command: str) -> list[str]:
    if not command.startswith("send-test"):
        runs = groupby(lines, key=lambda line: line.startswith("  email to "))
        return [line for is_sorted, run in runs for line in (sorted(run) if is_sorted else run)]
    verdicts = sorted(line for line in lines if re.search(r": (accepted|FAILED)", line))
    others = [line for line in lines if line not in verdicts]
    return [*others[:-1], *verdicts, *others[-1:]]


def _arrange_err(lines: list[str], command: str) -> list[str]:
    marked = [f"2> {line}".rstrip() for line in lines]
    is_log = command.split(maxsplit=1)[0] in {"check", "send-test"} and any(" [" in line for line in lines)
    return sorted(marked, key=lambda line: line.partition(" [")[2]) if is_log else marked


def _normalise(text: str, world: World) -> str:
    text = text.replace(str(world.directory), "<dir>")
    for pattern, word in _VOLATILE:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text
