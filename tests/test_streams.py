"""What commands write to standard output and standard error."""

import io

import pytest

from mastodon_update_check import logs
from mastodon_update_check.logs import CleanStream


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
