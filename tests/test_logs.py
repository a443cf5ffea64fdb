"""Logs: one line per event, with any text in it; for a person, for a machine, for the journal."""

import contextlib
import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from mastodon_update_check import logs
from mastodon_update_check.logs import log

HOSTILE = "one\r\ntwo\x00\x1b[2Jthree\u2028four\u202efive\x85six\udcff"
CLEAN = "one two [2Jthree four five six"
SECRET = "whsec_bGF1Z2h0ZXItaW4tdGhlLWRhcms="


@pytest.fixture(autouse=True)
def stream() -> Iterator[io.StringIO]:
    """Return a place for a log, and leave this process's logs as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    output = logs._outputs[0]
    with warnings.catch_warnings():
        yield io.StringIO()
        logging.captureWarnings(capture=False)
    logs._outputs[0] = output
    root.handlers[:] = handlers
    root.setLevel(level)


def written(stream: io.StringIO) -> list[dict[str, object]]:
    """Return the events in a stream; every line is one."""
    return [json.loads(line) for line in stream.getvalue().split("\n")[:-1]]


def test_json(stream: io.StringIO) -> None:
    """One line per event: what happened first, then what there is to say about it, then when."""
    logs.configure("info", "auto", stream)
    log.info("check.finished", planned=2, urgent=True, took=0.5, since=None, where=Path("/x"), name="Jürgen 版本")
    (line,) = stream.getvalue().splitlines()
    assert "Jürgen 版本" in line
    event = json.loads(line)
    assert list(event) == ["event", "planned", "urgent", "took", "since", "where", "name", "level", "at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event.pop("at"))
    assert event == {
        "event": "check.finished",
        "planned": 2,
        "urgent": True,
        "took": 0.5,
        "since": None,
        "where": "/x",
        "name": "Jürgen 版本",
        "level": "info",
    }


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_hostile_text(stream: io.StringIO, log_format: str) -> None:
    """Line breaks, control and formatting characters never get through, wherever they stand; text is cut."""
    logs.configure("info", log_format, stream)
    log.info("check.finished", detail=HOSTILE, names=[HOSTILE], deep={HOSTILE: (HOSTILE,)}, long="x" * 10_000)
    text = stream.getvalue()
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert text.count(CLEAN) == 4
    assert "x" * (logs.TEXT_CHARACTERS - 1) + "…" in text
    assert "x" * logs.TEXT_CHARACTERS not in text


def test_long_lists_are_counted(stream: io.StringIO) -> None:
    """A line stays shorter than the journal splits it, however many users there are."""
    logs.configure("info", "json", stream)
    logs.log.info("notice.test", devops_users=["x" * 190] * 1_000)
    line = json.loads(stream.getvalue())
    assert line["devops_users"][-1] == "980 more"
    assert len(stream.getvalue()) < 10_000


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_secrets_are_hidden(stream: io.StringIO, log_format: str) -> None:
    """A known secret shows nowhere, be it the event, a value, a key, in a list or an error; short ones are words."""
    logs.configure("info", log_format, stream, secrets=[SECRET[:20], SECRET, "", "admin"])
    event = f"failed {SECRET}"
    log.error(event, detail=f"x{SECRET}y", names=[SECRET], deep={SECRET: {"a": [SECRET]}}, user="admin")
    logging.getLogger("library").error("crashed", exc_info=ValueError(f"wrong: {SECRET}"))
    logging.getLogger("library").warning("said %s", SECRET)
    text = stream.getvalue()
    assert text.count("\n") == 3
    assert SECRET[6:] not in text
    assert SECRET[:20] not in text
    assert "x…y" in text
    assert "admin" in text


def test_libraries(stream: io.StringIO) -> None:
    """Warnings of libraries and of Python are lines of the same form; lesser messages are not written."""
    logs.configure("info", "json", stream)
    library = logging.getLogger("some.library")
    library.info("GET https://hooks.example/secret")
    library.warning("it is %s", HOSTILE)
    library.log(45, "an odd level")
    library.error("wrong %d", "arguments")
    library.error("it %s", "broke", exc_info=ValueError("line one\nline two"))
    warnings.simplefilter("always")
    warnings.warn("old habits", UserWarning, stacklevel=1)
    first, second, third, fourth, fifth = written(stream)
    wanted = {"event": "library.logged", "library": "some.library", "detail": f"it is {CLEAN}", "level": "warning"}
    assert wanted == {key: first[key] for key in wanted}
    assert (second["detail"], second["level"]) == ("an odd level", "warning")
    assert (third["detail"], third["level"]) == ("wrong %d", "error")
    assert (fourth["detail"], "ValueError: line one line two" in str(fourth)) == ("it broke", True)
    assert "UserWarning: old habits" in str(fifth["detail"])


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error", "critical"]),
        ("warning", ["warning", "error", "critical"]),
        ("error", ["error", "critical"]),
        (logs.SILENT, []),
    ],
)
def test_level(stream: io.StringIO, level: str, shown: list[str]) -> None:
    """An event below the level is not written; at the highest level, none is."""
    logs.configure(level, "json", stream)
    for each in ("debug", "info", "warning", "error", "critical"):
        logs.write(each, "happened")
    assert [event["level"] for event in written(stream)] == shown


@pytest.mark.parametrize(
    ("log_format", "no_color", "terminal", "has_colour"),
    [
        ("auto", "", "xterm", True),
        ("console", "", "xterm", True),
        ("auto", "1", "xterm", False),
        ("auto", "", "dumb", False),
        ("json", "", "xterm", False),
    ],
)
def test_terminal(
    monkeypatch: pytest.MonkeyPatch, log_format: str, no_color: str, terminal: str, *, has_colour: bool
) -> None:
    """A terminal gets coloured lines unless JSON or NO_COLOR is set; no escape sequence comes from a value."""
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", terminal)
    with _terminal() as (stream, screen):
        logs.configure("info", log_format, stream)
        log.warning("delivery.deferred", reply="\x1b[2Jgone\nnow")
        text = os.read(screen, 10_000).decode()
    assert ("\x1b[33m" in text) == has_colour
    assert "\x1b[2J" not in text
    assert text.count("\r\n") == 1
    assert "delivery.deferred" in text
    assert "[2Jgone now" in text


def test_console(stream: io.StringIO) -> None:
    """A line for a person: time, level, event, then the values that are not empty, quoted if ambiguous."""
    logs.configure("info", "console", stream)
    log.warning("delivery.deferred", sink="email", reply="not now", retries=2, names=["a", "b"], since=None, to="")
    time, line = stream.getvalue().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", time)
    assert line == ('[warning]  delivery.deferred          sink=email reply="not now" retries=2 names=["a", "b"]\n')


@pytest.mark.parametrize(("log_format", "start"), [("auto", "["), ("console", "["), ("json", "{")])
def test_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log_format: str, start: str) -> None:
    """In the journal lines are readable by default, have their priority in front, and no time: it has its own."""
    with (tmp_path / "journal").open("w+") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure("debug", log_format, stream)
        for level in ("debug", "info", "warning", "error", "critical"):
            logs.write(level, "happened", detail="a\n<0>b")
        logging.getLogger("library").warning("happened")
        stream.seek(0)
        lines = stream.read().splitlines()
    assert [line[:4] for line in lines] == [f"<{number}>{start}" for number in (7, 6, 4, 3, 2, 4)]
    assert not any('"at"' in line or "20" in line[:10] for line in lines)


@pytest.mark.parametrize("place", ["{dev}:{other}", "{other}:{ino}", "{dev}", ""])
def test_not_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """JOURNAL_STREAM that names another file does not concern this one: a redirected log has no prefixes."""
    with (tmp_path / "log").open("w+") as stream:
        status = os.fstat(stream.fileno())
        text = place.format(dev=status.st_dev, ino=status.st_ino, other=status.st_ino + 1)
        monkeypatch.setenv("JOURNAL_STREAM", text)
        logs.configure("info", "auto", stream)
        log.info("happened")
        stream.seek(0)
        assert stream.read().startswith('{"event": "happened"')


def test_stream_that_cannot_be_written() -> None:
    """A log that cannot be written stops nothing; `write_always` raises."""
    reading, writing = os.pipe()
    os.close(reading)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "w", buffering=1) as stream:
        logs.configure("info", "json", stream)
        log.info("happened")
        logging.getLogger("library").warning("happened")
        with pytest.raises(BrokenPipeError):
            logs.write_always("info", "happened")
    log.info("happened after the stream was closed")


@contextlib.contextmanager
def _terminal() -> Iterator[tuple[io.TextIOWrapper, int]]:
    """Open a pseudo-terminal: the program's end, and the screen's."""
    screen, end = pty.openpty()
    try:
        with os.fdopen(end, "w", buffering=1) as stream:
            yield stream, screen
    finally:
        os.close(screen)


def test_nothing_heavy_is_imported() -> None:
    """The resident process imports this module."""
    code = (
        "import sys; from mastodon_update_check import logs; logs.configure('info', 'auto'); logs.write('info', 'x.y');"
        "print(*sorted({'structlog', 'rich', 'pydantic', 'httpx', 'asyncio', 'importlib.metadata'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert result.stdout.strip() == ""
    assert json.loads(result.stderr)["event"] == "x.y"
