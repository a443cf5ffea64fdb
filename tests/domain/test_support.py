"""When support of a branch ends, and how near that is: Mastodon's own boundaries."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.examples import NOW, cases
from mastodon_update_check.domain.notices import SupportStage

THREE_MONTHS, TWO_WEEKS, ENDED = SupportStage


@cases(
    "ends_on stage",
    ("long ago", date(2020, 1, 1), ENDED),
    ("yesterday: out of support", date(2026, 11, 22), ENDED),
    ("today is still a day of support", date(2026, 11, 23), TWO_WEEKS),
    ("today and 14 days", date(2026, 12, 7), TWO_WEEKS),
    ("today and 15 days", date(2026, 12, 8), THREE_MONTHS),
    ("exactly three calendar months ahead", date(2027, 2, 23), THREE_MONTHS),
    ("one day more", date(2027, 2, 24), None),
    ("a year away", date(2027, 11, 23), None),
)
def test_boundaries_of_mastodon(ends_on: date, stage: SupportStage | None) -> None:
    """The stages of Mastodon (docs/MASTODON.md, End of support), tried with ActiveSupport at 2026-11-23 02:07 UTC."""
    assert SupportStage.at(NOW, ends_on) == stage


@pytest.mark.parametrize(
    ("ends_on", "at", "stage"),
    [
        pytest.param("2026-12-07", "2026-11-23T00:00:00", THREE_MONTHS, id="14 days to the instant is not less"),
        pytest.param("2026-12-07", "2026-11-23T00:00:00.000001", TWO_WEEKS, id="an instant later it is"),
        pytest.param("2027-02-23", "2026-11-23T00:00:00", None, id="three months to the instant is not less"),
        pytest.param("2027-02-23", "2026-11-23T00:00:00.000001", THREE_MONTHS, id="an instant later, again"),
        pytest.param("2026-11-23", "2026-11-23T23:59:59.999999", TWO_WEEKS, id="the last instant of the last day"),
        pytest.param("2026-11-23", "2026-11-24T00:00:00", ENDED, id="midnight after the last day"),
        # A day that the later month lacks becomes its last day.
        pytest.param("2027-02-28", "2026-11-30T12:00:00", THREE_MONTHS, id="30 November and three months"),
        pytest.param("2027-03-01", "2026-11-30T12:00:00", None, id="is not the first of March"),
        pytest.param("2028-02-29", "2027-11-30T12:00:00", THREE_MONTHS, id="in a leap year February has a 29th"),
        pytest.param("2028-03-01", "2027-11-30T12:00:00", None, id="and the first of March is beyond it"),
        pytest.param("2028-02-29", "2027-11-29T12:00:00", THREE_MONTHS, id="29 November reaches it exactly"),
        pytest.param("2028-02-29", "2027-11-28T12:00:00", None, id="28 November does not"),
        pytest.param("2026-11-30", "2026-08-31T12:00:00", THREE_MONTHS, id="31 August and three months"),
        pytest.param("2026-12-01", "2026-08-31T12:00:00", None, id="is not the first of December"),
        pytest.param("2027-03-31", "2026-12-31T12:00:00", THREE_MONTHS, id="over the turn of the year"),
        pytest.param("2027-04-01", "2026-12-31T12:00:00", None, id="and not a day longer"),
        # Known ends of support (docs/MASTODON.md): real branches, an instant after midnight.
        pytest.param("2027-02-20", "2026-11-19T00:00:01", None, id="4.5 before its window"),
        pytest.param("2027-02-20", "2026-11-20T00:00:01", THREE_MONTHS, id="4.5 since 20 November"),
        pytest.param("2026-12-17", "2026-12-02T00:00:01", THREE_MONTHS, id="4.4 before its last two weeks"),
        pytest.param("2026-12-17", "2026-12-03T00:00:01", TWO_WEEKS, id="4.4 from 3 December"),
        pytest.param("2026-12-17", "2026-12-17T00:00:01", TWO_WEEKS, id="4.4 on its last day"),
        pytest.param("2026-12-17", "2026-12-18T00:00:01", ENDED, id="4.4 out of support"),
        pytest.param("2026-05-06", "2026-05-07T00:00:01", ENDED, id="4.3 out of support"),
    ],
)
def test_instants(ends_on: str, at: str, stage: SupportStage | None) -> None:
    """The date counts as its midnight in UTC; the day itself is still supported."""
    assert SupportStage.at(datetime.fromisoformat(at).replace(tzinfo=UTC), date.fromisoformat(ends_on)) == stage


def test_other_time_zones_count_in_utc() -> None:
    """It is the date in UTC that counts, wherever the clock stands."""
    evening = datetime(2026, 11, 23, 22, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert ENDED is SupportStage.at(evening, date(2026, 11, 23))


instants = st.builds(
    lambda day, seconds: datetime.combine(day, time.min, UTC) + timedelta(seconds=seconds),
    st.dates(date(1999, 1, 1), date(2100, 12, 31)),
    st.floats(0, 86_399),
)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.lists(instants, min_size=2, max_size=6))
def test_stages_only_go_forward(ends_on: date, at: list[datetime]) -> None:
    """As time goes on the stage never goes back."""
    order = [None, *SupportStage]
    seen = [order.index(SupportStage.at(instant, ends_on)) for instant in sorted(at)]
    assert sorted(seen) == seen
