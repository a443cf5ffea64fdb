"""One check beside everybody else who uses the ledger."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ledger.examples import NOW, SETTINGS
from mastodon_update_check.config import Settings, load_settings
from mastodon_update_check.jobs.check import OwnTroubles, check
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


@pytest.mark.parametrize("seconds", [0, 9, 25, 300])
def test_nothing_is_taken_from_a_sender_while_the_questions_take_long(
    ledger: Ledger, tmp_path: Path, seconds: int
) -> None:
    """Who holds a message is judged by the time when the plan is made, not by that when the check began."""
    later = NOW + timedelta(seconds=seconds)
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)
        server.publish("4.5.20")
        check(settings, ledger, SINKS, lambda: NOW)
        server.withdraw("4.5.20")
        claim = ledger.claim(INSTANCE, "email", SETTINGS, later, NOW)
        assert claim is not None

        instants = iter((NOW, later))
        during = check(settings, ledger, SINKS, lambda: next(instants))
        assert () == during.plan.changes
        assert ledger.renew(claim, later)
        ledger.release(claim, NOW)
        after = check(settings, ledger, SINKS, lambda: NOW)
        assert ["update/4.5.20/plain"] == [change.identity for change in after.plan.changes]


def test_settings_that_stay_wrong_are_told(ledger: Ledger, tmp_path: Path) -> None:
    """After six hours, once; `status` shows them from the start; when they are right, nothing is left of it."""
    trouble = "the new settings are wrong, the old ones stay: UPDATE_CHECK_INTERVAL is not a duration"
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)

        def planned(hours: float, settings_trouble: str) -> list[str]:
            own = OwnTroubles(settings=settings_trouble)
            report = check(settings, ledger, SINKS, lambda: NOW + timedelta(hours=hours), own=own)
            assert ((settings_trouble,) if settings_trouble else ()) == report.knowledge.warnings
            return [str(getattr(one.notice, "cause", "")) for sent in report.plan.messages for one in sent.decisions]

        assert [[], [], ["settings"], [], []] == [planned(hours, trouble) for hours in (0, 5.9, 6, 6.5, 24)]
        assert [] == planned(25, "")
        assert 0 == ledger.summary(INSTANCE, NOW + timedelta(hours=25)).undelivered
        assert [[], []] == [planned(hours, trouble) for hours in (26, 31)]


class Broken(SecretStr):
    """Something in the middle of a check that breaks as only a bug does."""

    def get_secret_value(self) -> str:
        raise RuntimeError("odd")


def test_a_bug_that_lasts_is_told_like_any_other_failure(ledger: Ledger, tmp_path: Path) -> None:
    """A check that breaks at what it was answered has failed: the ledger knows, and after six hours the operator."""
    settings = _settings(tmp_path, "http://127.0.0.1:1/").model_copy(update={"https_proxy": Broken("of no use")})

    def planned(hours: float) -> list[str]:
        report = check(settings, ledger, SINKS, lambda: NOW + timedelta(hours=hours))
        assert report.error is not None
        assert report.error.detail.endswith("please report it: RuntimeError: odd")
        return [str(getattr(one.notice, "cause", "")) for sent in report.plan.messages for one in sent.decisions]

    assert [[], [], ["internal"], []] == [planned(hours) for hours in (0, 5.9, 6, 6.5)]


def test_settings_and_checks_that_go_wrong_at_one_moment_are_two_things(ledger: Ledger, tmp_path: Path) -> None:
    """Each is told in its time: what was said of the one says nothing of the other."""
    with UpdateServer() as server:
        settings = _settings(tmp_path, server.url)

        def planned(hours: float, settings_trouble: str) -> list[str]:
            own = OwnTroubles(settings=settings_trouble)
            report = check(settings, ledger, SINKS, lambda: NOW + timedelta(hours=hours), own=own)
            return sorted(
                f"{type(one.notice).__name__} {getattr(one.notice, 'cause', '')}".strip()
                for sent in report.plan.messages
                for one in sent.decisions
            )

        server.fail(503)
        assert [[], []] == [planned(hours, "a duration is wrong") for hours in (0, 5.9)]
        assert ["CheckFailingNotice settings"] == planned(6, "a duration is wrong")
        assert ["CheckFailingNotice http_status"] == planned(24, "a duration is wrong")
