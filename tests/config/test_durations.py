"""Durations: how they are written, and how short the interval between checks may be."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.machine import Machine
from mastodon_update_check.config.kinds import LONGEST_DURATION, parse_duration


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1:99", "[::1]:8080", "localhost", "feed.localhost"])
def test_short_intervals_on_loopback(machine: Machine, host: str) -> None:
    """An update server on this machine may be asked every second; the default jitter follows."""
    settings = machine.load({"UPDATE_CHECK_URL": f"http://{host}/", "UPDATE_CHECK_INTERVAL": "1"})
    assert (settings.interval, settings.jitter) == (timedelta(seconds=1), timedelta(seconds=1))


@pytest.mark.parametrize("host", ["localhost.example", "10.0.0.1", "127.0.0.1.example"])
def test_no_short_intervals_elsewhere(machine: Machine, host: str) -> None:
    """A host that only looks like this machine is asked every five minutes at most."""
    environ = {"UPDATE_CHECK_URL": f"http://{host}/"}
    assert len(machine.problems(environ | {"UPDATE_CHECK_INTERVAL": "4m"})) == 1
    assert machine.load(environ | {"UPDATE_CHECK_INTERVAL": "5m"}).interval == timedelta(minutes=5)


def test_jitter_as_long_as_the_interval(machine: Machine) -> None:
    """The spread may be the whole interval."""
    settings = machine.load({"UPDATE_CHECK_INTERVAL": "5m", "UPDATE_CHECK_JITTER": "300s"})
    assert settings.interval == settings.jitter


@given(st.integers(min_value=0, max_value=LONGEST_DURATION.days), st.sampled_from("smhd"))
def test_durations(number: int, unit: str) -> None:
    """A duration is its number of units; without a unit, seconds."""
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert parse_duration(f" {number}{unit} ") == parse_duration(str(seconds)) == timedelta(seconds=seconds)
