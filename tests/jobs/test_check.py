"""One check beside everybody else who uses the ledger."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from ledger.examples import NOW, SETTINGS
from mastodon_update_check.jobs.check import check
from mastodon_update_check.ledger.ledger import Ledger
from mastodon_update_check.settings import load_settings
from simulators.update_server import UpdateServer

INSTANCE = "social.example"
SINKS = {"email": SETTINGS}


@pytest.mark.parametrize("seconds", [0, 9, 25, 300])
def test_nothing_is_taken_from_a_sender_while_the_questions_take_long(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    """Who holds a message is judged by the time when the plan is made, not by that when the check began."""
    (tmp_path / "config.env").touch()
    with UpdateServer() as server:
        settings = load_settings(
            {
                "HOME": str(tmp_path),
                "LOCAL_DOMAIN": INSTANCE,
                "SMTP_SERVER": "127.0.0.1",
                "UPDATE_CHECK_CONFIG": str(tmp_path / "config.env"),
                "UPDATE_CHECK_INSTANCE_URL": "",
                "UPDATE_CHECK_MASTODON_ROOT": str(tmp_path),
                "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
                "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
                "UPDATE_CHECK_SINKS": "email",
                "UPDATE_CHECK_URL": server.url,
            }
        )
        server.publish("4.5.20")
        check(settings, ledger, SINKS, NOW)
        server.withdraw("4.5.20")
        instants = iter([0.0])
        stopwatch = SimpleNamespace(monotonic=lambda: next(instants, float(seconds)))
        monkeypatch.setattr("mastodon_update_check.jobs.check.time", stopwatch)
        claim = ledger.claim(INSTANCE, "email", SETTINGS, NOW + timedelta(seconds=seconds), NOW)
        assert claim is not None

        during = check(settings, ledger, SINKS, NOW)
        assert () == during.plan.changes
        assert ledger.renew(claim, NOW + timedelta(seconds=seconds))
        ledger.release(claim, NOW)
        after = check(settings, ledger, SINKS, NOW)
        assert ["update/4.5.20/plain"] == [change.identity for change in after.plan.changes]
