"""A person at a terminal: answer.py COMMAND ANSWER... runs the command there, and answers each question when asked."""

import os
import pty
import re
import sys

QUESTION = re.compile(rb"\[Y/n\]\s*$")


def main(command: str, *answers: str) -> int:
    """Run it; return its exit code."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv("/bin/bash", ["bash", "-eu", command])  # noqa: S606 - it needs no shell: it is one
    waiting, seen = list(answers), b""
    while True:
        try:
            said = os.read(terminal, 65_536)
        except OSError:  # the terminal has no writer any more
            break
        os.write(1, said)
        seen = (seen + said)[-200:]
        if waiting and QUESTION.search(seen):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
            seen = b""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
