"""The progress of `setup` on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from install.host import Host, set_up
from mastodon_update_check import terminal


def test_slow_steps_are_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step, and every command that setup runs, has a line for when it takes longer than a second."""
    shown: list[str] = []

    @contextmanager
    def record(text: str) -> Iterator[None]:
        shown.append(text)
        yield

    monkeypatch.setattr(terminal, "progress", record)
    host.install("LOCAL_DOMAIN=social.example\nSMTP_SERVER=localhost\n")
    assert set_up(host)
    assert {"Running recipients", "Running send-test"} <= set(shown)
    assert any("mastodon-update-check.service" in text for text in shown)
