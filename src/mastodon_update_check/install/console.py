"""The conversation with the administrator."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from mastodon_update_check.errors import SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """Standard output and input; nobody is asked when nobody is there."""

    is_silent: bool
    """Whether every question is answered beforehand (`--yes`)."""

    def say(self, text: str = "") -> None:
        """Print a line, or several."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def ask(self, question: str, answers: Sequence[str]) -> str:
        """Return one of the answers; the first letters of one will do.

        Raises:
            SetupError: nobody is there to answer.
        """
        if self.is_silent:
            return answers[0]
        self.require_somebody()
        while True:
            self.say(f"\n{question} [{'/'.join(answers)}]")
            line = sys.stdin.readline()
            if not line:
                raise SetupError("the question was not answered")
            matching = [answer for answer in answers if line.strip() and answer.startswith(line.strip().lower())]
            if len(matching) == 1:
                return matching[0]

    def require_somebody(self) -> None:
        """Make sure that somebody can be asked.

        Raises:
            SetupError: standard input is no terminal.
        """
        if not self.is_silent and not sys.stdin.isatty():
            raise SetupError(
                "standard input is no terminal, so nobody can be asked: give --yes, and --tell now or mark"
            )
