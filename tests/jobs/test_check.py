"""One check: its transaction during deliveries, and problems of the settings and of this program."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from jobs.examples import check_settings
from ledger.examples import NOW, SETTINGS
from ledger.steps import take
from mastodon_update_check.jobs.check import CheckOptions, CheckReport, check
from mastodon_update_check.ledger.ledger import Ledger
from simulators.update_server import UpdateServer

SINKS = {"email": SETTINGS}


def test_message_that_is_being_sent_is_not_withdrawn(ledger: Ledger, tmp_path: Path) -> None:
    """A release that is withdrawn meanwhile changes the plan only once the attempt is closed."""
    with UpdateServer() as server:
        settings = check_settings(tmp_path, server.url)
        server.publish("4.5.20")
        check(settings, ledger, SINKS, NOW)
        server.withdraw("4.5.20")
        take(ledger)
        assert check(settings, ledger, SINKS, NOW).plan.changes == ()
        ledger.close_open_attempts(NOW)
        changes = check(settings, ledger, SINKS, NOW).plan.changes
        assert [change.identity for change in changes] == ["update/4.5.20/plain"]


def causes(report: CheckReport) -> list[str]:
    """Return the causes of the notices that a check has planned."""
    return sorted(str(getattr(one.notice, "cause", "")) for sent in report.plan.messages for one in sent.decisions)


def test_lasting_wrong_settings_are_notified(ledger: Ledger, tmp_path: Path) -> None:
    """After six hours, once, apart from failing checks; a warning from the start; when right, nothing is left of it."""
    problem = "the new settings are wrong, the old ones stay: UPDATE_CHECK_INTERVAL is not a duration"
    with UpdateServer() as server:
        settings = check_settings(tmp_path, server.url)

        def planned(hours: float, settings_problem: str) -> list[str]:
            options = CheckOptions(settings_problem=settings_problem)
            report = check(settings, ledger, SINKS, NOW + timedelta(hours=hours), options=options)
            if not report.result.error:
                assert ((settings_problem,) if settings_problem else ()) == report.known.warnings
            return causes(report)

        assert [planned(hours, problem) for hours in (0, 5.9, 6, 6.5, 24)] == [[], [], ["settings"], [], []]
        assert planned(25, "") == []
        assert ledger.summary(NOW + timedelta(hours=25), SINKS).undelivered == 0
        server.fail(503)
        assert [planned(hours, problem) for hours in (26, 31, 32, 51)] == [[], [], ["settings"], ["http_status"]]


class Broken:
    """Something in the middle of a check that breaks as only a bug does."""

    def __getattr__(self, name: str) -> str:
        raise RuntimeError("odd")


def test_lasting_bug_is_notified_like_any_other_failure(ledger: Ledger, tmp_path: Path) -> None:
    """A check that breaks at what it was answered has failed: the ledger knows, and after six hours the operator."""
    settings = replace(check_settings(tmp_path, "http://127.0.0.1:1/"), url=Broken())  # type: ignore[arg-type]

    def planned(hours: float) -> list[str]:
        report = check(settings, ledger, SINKS, NOW + timedelta(hours=hours))
        assert re.search(r"please report it: RuntimeError in \w+\.py, line \d+: odd$", report.result.error)
        return causes(report)

    assert [planned(hours) for hours in (0, 5.9, 6, 6.5)] == [[], [], ["internal"], []]
