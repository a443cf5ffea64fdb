"""One check: its transaction during deliveries, and problems of the settings and of this program."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from ledger.examples import NOW, SETTINGS
from ledger.steps import take
from mastodon_update_check.config import Settings, load_settings
from mastodon_update_check.jobs.check import CheckOptions, check
from mastodon_update_check.ledger.ledger import Ledger
from simulators.update_server import UpdateServer

INSTANCE = "social.example"
SINKS = {"email": SETTINGS}


def _settings(directory: Path, url: str) -> Settings:
    (directory / "config.env").touch()
    return load_settings(
        {
            "HOME": str(directory),
            "LOCAL_DOMAIN": INSTANCE,
            "SMTP_SERVER": "127.0.0.1",
            "UPDATE_CHECK_CONFIG": str(directory / "config.env"),
            "UPDATE_CHECK_INSTANCE_URL": "",
            "UPDATE_CHECK_MASTODON_ROOT": str(directory),
            "UPDATE_CHECK_MASTODON_VERSION": "4.5.19",
            "UPDATE_CHECK_RECIPIENTS": "ops@social.example",
            "UPDATE_CHECK_SINKS": "email",
            "UPDATE_CHECK_URL": url,
        }
    )


def test_message_that_is_being_sent_is_not_withdrawn(ledger: Ledger, tmp_path: Path) -> None:
    """A release that is withdrawn meanwhile changes the plan only once the attempt is closed."""
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)
        server.publish("4.5.20")
        check(settings, ledger, SINKS, NOW)
        server.withdraw("4.5.20")
        take(ledger)
        assert check(settings, ledger, SINKS, NOW).plan.changes == ()
        ledger.close_open_attempts(NOW)
        changes = check(settings, ledger, SINKS, NOW).plan.changes
        assert [change.identity for change in changes] == ["update/4.5.20/plain"]


def test_lasting_wrong_settings_are_notified(ledger: Ledger, tmp_path: Path) -> None:
    """After six hours, once; `status` shows them from the start; when they are right, nothing is left of it."""
    problem = "the new settings are wrong, the old ones stay: UPDATE_CHECK_INTERVAL is not a duration"
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)

        def planned(hours: float, settings_problem: str) -> list[str]:
            options = CheckOptions(settings_problem=settings_problem)
            report = check(settings, ledger, SINKS, NOW + timedelta(hours=hours), options=options)
            assert ((settings_problem,) if settings_problem else ()) == report.known.warnings
            return [str(getattr(one.notice, "cause", "")) for sent in report.plan.messages for one in sent.decisions]

        assert [planned(hours, problem) for hours in (0, 5.9, 6, 6.5, 24)] == [[], [], ["settings"], [], []]
        assert planned(25, "") == []
        assert ledger.summary(NOW + timedelta(hours=25), SINKS).undelivered == 0
        assert [planned(hours, problem) for hours in (26, 31)] == [[], []]


class Broken:
    """Something in the middle of a check that breaks as only a bug does."""

    def __getattr__(self, name: str) -> str:
        raise RuntimeError("odd")


def test_lasting_bug_is_notified_like_any_other_failure(ledger: Ledger, tmp_path: Path) -> None:
    """A check that breaks at what it was answered has failed: the ledger knows, and after six hours the operator."""
    settings = replace(_settings(tmp_path, "http://127.0.0.1:1/"), url=Broken())  # type: ignore[arg-type]

    def planned(hours: float) -> list[str]:
        report = check(settings, ledger, SINKS, NOW + timedelta(hours=hours))
        assert re.search(r"please report it: RuntimeError in \w+\.py, line \d+: odd$", report.result.error)
        return [str(getattr(one.notice, "cause", "")) for sent in report.plan.messages for one in sent.decisions]

    assert [planned(hours) for hours in (0, 5.9, 6, 6.5)] == [[], [], ["internal"], []]


def test_settings_and_check_failures_are_notified_separately(ledger: Ledger, tmp_path: Path) -> None:
    """Each has a notice in its own time."""
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)

        def planned(hours: float, settings_problem: str) -> list[str]:
            options = CheckOptions(settings_problem=settings_problem)
            report = check(settings, ledger, SINKS, NOW + timedelta(hours=hours), options=options)
            return sorted(
                f"{type(one.notice).__name__} {getattr(one.notice, 'cause', '')}".strip()
                for sent in report.plan.messages
                for one in sent.decisions
            )

        server.fail(503)
        assert [planned(hours, "a duration is wrong") for hours in (0, 5.9)] == [[], []]
        assert planned(6, "a duration is wrong") == ["CheckFailingNotice settings"]
        assert planned(24, "a duration is wrong") == ["CheckFailingNotice http_status"]
