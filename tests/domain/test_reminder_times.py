"""When reminders are due: after 1, 3 and 7 days, then weekly."""

from datetime import timedelta

import pytest

from domain.examples import days
from mastodon_update_check.domain.planning.follow_ups import FIRST_REMINDERS, reminder_number
from mastodon_update_check.domain.repetition import due_after

MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("elapsed", "number"),
    [
        pytest.param(-days(400), 0, id="a message from the future"),
        pytest.param(timedelta(), 0, id="just notified"),
        pytest.param(days(1) - MOMENT, 0, id="not yet a day"),
        pytest.param(days(1), 1, id="a day"),
        pytest.param(days(3) - MOMENT, 1, id="not yet three days"),
        pytest.param(days(3), 2, id="three days"),
        pytest.param(days(7), 3, id="a week"),
        pytest.param(days(14) - MOMENT, 3, id="not yet two weeks"),
        pytest.param(days(14), 4, id="two weeks"),
        pytest.param(days(700), 102, id="a hundred weeks"),
    ],
)
def test_which_reminder_is_due(elapsed: timedelta, number: int) -> None:
    """After 1, 3 and 7 days, then weekly; and the next one is due where its turn comes."""
    assert reminder_number(elapsed) == number
    assert due_after(max(number, 1), FIRST_REMINDERS) <= max(elapsed, days(1))
    assert elapsed < due_after(number + 1, FIRST_REMINDERS)
