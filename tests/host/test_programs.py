"""Programs of the host."""

import time
from datetime import timedelta

import pytest

from mastodon_update_check.host.programs import OUTPUT_BYTES, Finished, run_program


def test_program_gets_words_and_a_small_environment() -> None:
    """No shell, no variables of this process; output, errors and input are passed."""
    assert run_program(("echo", "$(id) `id` ;", "a b")) == Finished(code=0, out="$(id) `id` ; a b\n")
    assert "PYTEST" not in run_program(("env",)).out
    assert run_program(("cat",), "in\n").out == "in\n"
    assert run_program(("sh", "-c", "echo no >&2; exit 3")) == Finished(code=3, err="no\n")


def test_missing_program() -> None:
    """A program that is missing is an answer too."""
    finished = run_program(("no-such-program",))
    assert finished.code == 127
    assert "no-such-program: No such file" in finished.err


@pytest.mark.parametrize("stream", ["1", "2"])
def test_output_is_bounded_while_it_is_written(stream: str) -> None:
    """A program that prints without end is ended after one mebibyte, on either stream."""
    finished = run_program(("sh", "-c", f"exec yes >&{stream}"))
    assert not finished.has_worked
    assert finished.err == f"sh printed more than {OUTPUT_BYTES} bytes"
    assert len(finished.out) <= OUTPUT_BYTES


def test_time_is_bounded_for_all_that_was_started() -> None:
    """A program that hangs is ended in time, also when a process that it started holds its output."""
    begun = time.monotonic()
    finished = run_program(("sh", "-c", "sleep 60 & echo begun; wait"), limit=timedelta(seconds=1))
    assert time.monotonic() - begun < 10
    assert (finished.code, finished.out, finished.err) == (124, "begun\n", "sh did not end within 1 seconds")


def test_no_terminal() -> None:
    """A program has a session of its own, so a terminal of root's is not its terminal."""
    assert run_program(("sh", "-c", "exec 3</dev/tty")).has_worked is False
