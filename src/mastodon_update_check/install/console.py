"""The conversation with the administrator."""

import sys
from dataclasses import dataclass
from typing import Final

from mastodon_update_check.errors import SetupError

_ANSWERS: Final = {"": True, "y": True, "yes": True, "n": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Standard output and standard input."""

    is_silent: bool
    """Whether every question is answered with yes (`--yes`)."""

    def say(self, text: str = "") -> None:
        """Print a line, or several."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def confirm(self, question: str) -> bool:
        """Ask a question whose default is yes.

        Raises:
            SetupError: standard input is not a terminal, or has ended.
        """
        if self.is_silent:
            return True
        if not sys.stdin.isatty():
            raise SetupError("standard input is not a terminal: give --yes, and --tell now or --tell mark")
        while True:
            sys.stdout.write(f"\n{question} [Y/n] ")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                raise SetupError("the question was not answered: standard input has ended")
            answer = _ANSWERS.get(line.strip().lower())
            if answer is not None:
                return answer
