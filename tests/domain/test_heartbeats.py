"""Pings: what is said after a check, and how each service's URL is written."""

from datetime import UTC, datetime, timedelta

import pytest

from mastodon_update_check.domain.server.heartbeats import Beat, Ping, judge_beat, write_ping

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_healthchecks_form() -> None:
    """Success is the URL itself; start and fail are behind its path; what the query says stays."""
    url = "https://hc.example/ping/6c1f"
    assert Ping(method="POST", url=url, text="well") == write_ping(url, Beat.SUCCESS, "well")
    assert [f"{url}/start", f"{url}/fail"] == [_url(url, beat) for beat in (Beat.START, Beat.FAIL)]
    assert "https://hc.example/ping/6c1f/fail?create=1" == _url("https://hc.example/ping/6c1f/?create=1", Beat.FAIL)


def _url(url: str, beat: Beat) -> str:
    ping = write_ping(url, beat, "x")
    assert ping is not None
    return ping.url


def test_uptime_kumas_form() -> None:
    """Up and down replace the parameters that were copied with the URL; there is no start event."""
    copied = "https://kuma.example/api/push/t0ken?status=up&msg=OK&ping=&node=1"
    assert None is write_ping(copied, Beat.START, "begins")
    up = write_ping(copied, Beat.SUCCESS, "all is well", timedelta(seconds=1.5))
    assert up == Ping(
        method="GET", url="https://kuma.example/api/push/t0ken?node=1&status=up&msg=all+is+well&ping=1500", text=""
    )
    assert "https://kuma.example/api/push/t0ken?node=1&status=down&msg=x" == _url(copied, Beat.FAIL)


@pytest.mark.parametrize(
    ("failure", "waiting", "beat"),
    [
        pytest.param("", None, Beat.SUCCESS, id="all is well"),
        pytest.param("status 503", None, Beat.FAIL, id="the check failed"),
        pytest.param(
            "", timedelta(hours=5, minutes=59), Beat.SUCCESS, id="what waits for less than six hours may wait"
        ),
        pytest.param("", timedelta(hours=6), Beat.FAIL, id="something has been waiting for six hours"),
    ],
)
def test_success_needs_check_and_outbox(failure: str, waiting: timedelta | None, beat: Beat) -> None:
    """Success is said only if both are healthy; the sentence names what is not."""
    said, sentence = judge_beat(failure, None if waiting is None else NOW - waiting, NOW)
    assert beat is said
    assert failure in sentence
    assert ("not been delivered since 2026-11-24 06:00 UTC" in sentence) == (waiting == timedelta(hours=6))
