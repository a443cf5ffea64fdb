"""The collector: it fails on what is missing, on what is too much, and counts excused repeats apart."""

from collections.abc import Iterator, Sequence
from email.message import EmailMessage

import pytest

from simulators.collector import Collector, Manner, _arrival, _read_mail

PLACE = "ops@social.example"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector that wants one release told in one place."""
    with Collector() as collector:
        collector.want(PLACE, "4.5.20", "4.5.20!")
        yield collector


def arrive(collector: Collector, key: str, *rows: str, manner: Manner = Manner.TAKE) -> None:
    """Let a message come."""
    collector._take(_arrival(PLACE, key, list(rows)), manner)


def counts(collector: Collector) -> Sequence[int]:
    """Return how many are told, lost, unwanted, repeated, excused, left out."""
    account = collector.account()
    kinds = (account.told, account.lost, account.unwanted, account.repeats, account.excused, account.left_out)
    return [len(kind) for kind in kinds]


def test_nothing_has_come(collector: Collector) -> None:
    """What is wanted and does not come fails."""
    assert [0, 1, 0, 0, 0, 0] == counts(collector)
    with pytest.raises(AssertionError, match=r"4\.5\.20"):
        collector.check()


@pytest.mark.parametrize("row", ["4.5.20", "4.5.20!"])
def test_what_was_wanted_has_come(collector: Collector, row: str) -> None:
    """One of the forms is enough."""
    arrive(collector, "a", row)
    assert [1, 0, 0, 0, 0, 0] == counts(collector)
    collector.check()


def test_something_else_has_come(collector: Collector) -> None:
    """What was never wanted there fails, notices about the tool itself aside."""
    arrive(collector, "a", "4.5.20", "4.7.6")
    arrive(collector, "b")
    assert [2, 0, 1, 0, 0, 0] == counts(collector)
    with pytest.raises(AssertionError, match=r"4\.7\.6"):
        collector.check()


def test_it_has_come_twice(collector: Collector) -> None:
    """A repeat fails, whatever its id; so does the plain form after the urgent one, which says it all."""
    arrive(collector, "a", "4.5.20")
    arrive(collector, "a", "4.5.20")
    arrive(collector, "b", "4.5.20!")
    arrive(collector, "c", "4.5.20")
    assert [2, 0, 0, 2, 0, 0] == counts(collector)
    with pytest.raises(AssertionError):
        collector.check()


def test_a_repeat_of_what_was_in_doubt(collector: Collector) -> None:
    """Once, and under the same id, whoever could not know may say it again; what the ledger knows is in no doubt."""
    with collector.window():
        arrive(collector, "a", "4.5.20")
    arrive(collector, "a", "4.5.20", manner=Manner.TAKE_AND_CUT)
    arrive(collector, "a", "4.5.20")
    collector.check()
    assert [1, 0, 0, 0, 2, 0] == counts(collector)
    arrive(collector, "a", "4.5.20")
    assert [1, 0, 0, 1, 2, 0] == counts(collector)


def test_a_repeat_of_what_is_written_down(collector: Collector) -> None:
    """A sender that was killed after it had written the acceptance down has no excuse."""
    with collector.window():
        arrive(collector, "a", "4.5.20")
    collector.settle([("b", "4.5.20")])
    assert collector.arrivals[0].is_doubtful
    collector.settle([("a", "4.5.20")])
    arrive(collector, "a", "4.5.20")
    assert [1, 0, 0, 1, 0, 0] == counts(collector)


def test_a_repeat_under_another_id(collector: Collector) -> None:
    """Doubt excuses no other id, unless the former one has been used up without the row."""
    collector.allow(PLACE, "4.7.6")
    with collector.window():
        arrive(collector, "a", "4.5.20", "4.7.6")
    arrive(collector, "b", "4.7.6")
    assert [2, 0, 0, 1, 0, 0] == counts(collector)
    arrive(collector, "a", "4.7.6", manner=Manner.TAKE_AND_CUT)
    arrive(collector, "c", "4.5.20")
    assert [2, 0, 0, 2, 0, 1] == counts(collector)


def test_a_mail_without_its_id_is_none() -> None:
    """Both headers that a receiver may drop repeats by hold the same id."""
    message = EmailMessage()
    message["X-Update-Check-ID"], message["Message-ID"] = "a", "<b@social.example>"
    with pytest.raises(AssertionError, match="b@social"):
        _read_mail(PLACE, message.as_bytes())
