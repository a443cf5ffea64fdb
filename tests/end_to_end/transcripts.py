"""What the program prints, as a file that can be read and compared: commands, output, exit codes, nothing volatile.

Standard error stands after standard output, with `2> ` before each line. What several threads write comes in any
order, so those lines are sorted: log lines, the verdicts of `send-test`, and the mails that were not accepted.
"""

import re
import signal
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Self

from end_to_end.world import World, wait_until

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
    (r"(\"took\": |took=|last_good_check=|127\.0\.0\.1, )\d+(\.\d+)?", r"\1<n>"),
    (r"support_days=-?\d+", "support_days=<n>"),
    (r"\(\d+ days left\)", "(<n> days left)"),
)
_OF_SINKS = ('{"event": "delivery.', '{"event": "notice.')


class Journal:
    """The log of a daemon in the journal, in parts: an action, and its lines."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._path = world.directory / "journal"
        self._read = 0
        self._parts: list[str] = []

    def __enter__(self) -> Self:
        with self._path.open("w") as file:
            self._daemon = self._world.start("run", err=file.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        if self._daemon.poll() is None:
            self._daemon.kill()
        self._daemon.communicate()

    def follow(self, what: str, event: str, count: int) -> None:
        """Wait until an event has come so many times; take down all that has come till then."""
        wait_until(lambda: sum(f'"event": "{event}"' in line for line in self._news()) >= count)
        self._take_down(what)

    def reload(self, what: str, event: str, count: int) -> None:
        """Ask for the settings to be read again, and follow."""
        self._daemon.send_signal(signal.SIGHUP)
        self.follow(f"systemctl reload mastodon-update-check  # {what}", event, count)

    def stop(self) -> str:
        """Stop the daemon; return the transcript."""
        self._daemon.send_signal(signal.SIGTERM)
        assert self._daemon.wait(60) == 0
        self._take_down("systemctl stop mastodon-update-check")
        return "\n".join(self._parts)

    def _news(self) -> list[str]:
        whole, _, _ = self._path.read_text().rpartition("\n")
        return whole.splitlines()[self._read :]

    def _take_down(self, what: str) -> None:
        news = self._news()
        self._read += len(news)
        lines = _normalise("\n".join(news), self._world).splitlines()
        # Each sink has a worker of its own: what they say comes in any order, after what is said before.
        of_sinks = sorted(line for line in lines if line.startswith(_OF_SINKS))
        others = [line for line in lines if line not in of_sinks]
        self._parts.append("\n".join([f"$ {what}", *others, *of_sinks]) + "\n")


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
    is_log = command.startswith(("check", "send-test")) and any(re.search(r" \[\w+] ", line) for line in lines)
    return sorted(marked, key=lambda line: line.partition(" [")[2]) if is_log else marked


def _normalise(text: str, world: World) -> str:
    text = text.replace(str(world.directory), "<dir>")
    for pattern, word in _VOLATILE:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text
