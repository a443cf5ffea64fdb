"""A person who types into a root shell on a terminal: each line of standard input, as it comes."""

import os
import pty
import sys
import threading


def main() -> int:
    """Run the shell until it ends; return its exit code."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv("/bin/bash", ["bash", "--norc", "-i"])  # noqa: S606 - it needs no shell: it is one

    def type_lines() -> None:
        for line in sys.stdin:
            os.write(terminal, line.encode())

    threading.Thread(target=type_lines, daemon=True).start()
    try:
        while said := os.read(terminal, 65_536):
            os.write(1, said)
    except OSError:  # the terminal has no writer any more
        pass
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
