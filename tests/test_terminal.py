"""Text for a terminal and for a pipe, and what never reaches either."""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from mastodon_update_check import logs, terminal
from mastodon_update_check.logs import CleanStream
from mastodon_update_check.terminal import complain, print_table, progress, say

LINES = "nothing was changed:\n  - one sentence that is much too long for a narrow terminal\n\n  - two"


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def terminal_of(columns: int, term: str = "xterm") -> Iterator[Screen]:
    """Put a terminal in the place of standard output and standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", term)
        with redirect_stdout(Screen()) as screen, redirect_stderr(screen):
            yield screen


def test_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal every line is as it was given."""
    say(LINES)
    complain(LINES)
    out, err = capsys.readouterr()
    assert (out, err) == (f"{LINES}\n", f"mastodon-update-check: {LINES}\n")


def test_lines_are_wrapped() -> None:
    """On a terminal a line that is too long goes on below, indented by two more blanks."""
    with terminal_of(40) as screen:
        say(LINES)
    assert screen.getvalue().splitlines() == [
        "nothing was changed:",
        "  - one sentence that is much too long",
        "    for a narrow terminal",
        "",
        "  - two",
    ]


def test_table_that_is_too_wide() -> None:
    """Its rows become paragraphs."""
    with terminal_of(40) as screen:
        print_table([("SINK", "RECIPIENT", "REASON"), ("email", "ops@social.example", "named in the settings")])
    assert screen.getvalue().splitlines() == [
        "sink: email; recipient:",
        "    ops@social.example; reason: named in",
        "    the settings",
    ]


@pytest.mark.parametrize(
    ("term", "seconds", "shown"),
    [("xterm", 0.3, "Checking …\r\x1b[K"), ("xterm", 0, ""), ("dumb", 0.3, "")],
    ids=["slow", "fast", "dumb terminal"],
)
def test_progress(monkeypatch: pytest.MonkeyPatch, term: str, seconds: float, shown: str) -> None:
    """A line is shown while a wait lasts, and erased; where it cannot be erased, it is not shown."""
    monkeypatch.setattr(terminal, "_PROGRESS_SECONDS", 0.05 if seconds else 60)
    with terminal_of(40, term) as screen, progress("Checking"):
        time.sleep(seconds)
    assert screen.getvalue() == shown


def test_streams_write_no_control_characters() -> None:
    """Stored texts move no cursor, set no title and turn no line around; our own colours and line breaks stay."""
    out = io.BytesIO()
    stream = CleanStream.around(io.TextIOWrapper(out, "utf-8"))
    text = "\x1b[1;31mbad\x1b[0m \x1b]0;owned\x07\x1b[2J\r\u202e\x9b\n\tä\r\x1b[K"
    assert stream.write(text) == len(text)
    stream.flush()
    expected = "\x1b[1;31mbad\x1b[0m ?]0;owned??[2J???\n\tä\r\x1b[K"
    assert out.getvalue().decode() == expected.replace("?", "\ufffd")


def test_streams_show_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that is known is hidden, whatever text it is a part of."""
    monkeypatch.setattr(logs, "_outputs", [*logs._outputs])
    logs.configure("info", "json", secrets=["hunter2-very-secret"])
    out = io.BytesIO()
    stream = CleanStream.around(io.TextIOWrapper(out, "utf-8"))
    stream.write("the password is hunter2-very-secret")
    stream.flush()
    assert out.getvalue().decode() == "the password is …"
