"""The collector: missing, unwanted and repeated notices are faults; excused repeats are counted apart."""

from collections.abc import Iterator, Sequence
from email.message import EmailMessage

import pytest

from simulators.collector import Collector, Manner, _arrival, _read_mail

PLACE = "ops@social.example"


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector that expects one release at one recipient."""
    with Collector() as collector:
        collector.want(PLACE, "4.5.20", "4.5.20!")
        yield collector


def arrive(collector: Collector, key: str, *rows: str, manner: Manner = Manner.TAKE) -> None:
    """Deliver a message."""
    collector._take(_arrival(PLACE, key, list(rows)), manner)


def counts(collector: Collector) -> Sequence[int]:
    """Return how many are delivered, lost, unwanted, repeated, excused, left out."""
    account = collector.account()
    kinds = (account.delivered, account.lost, account.unwanted, account.repeats, account.excused, account.left_out)
    return [len(kind) for kind in kinds]


def test_missing_notice_is_lost(collector: Collector) -> None:
    """A wanted notice that does not arrive is a fault."""
    assert counts(collector) == [0, 1, 0, 0, 0, 0]
    with pytest.raises(AssertionError, match=r"4\.5\.20"):
        collector.check()


@pytest.mark.parametrize("row", ["4.5.20", "4.5.20!"])
def test_either_form_of_a_wanted_notice_is_delivered(collector: Collector, row: str) -> None:
    """One of the forms suffices."""
    arrive(collector, "a", row)
    assert counts(collector) == [1, 0, 0, 0, 0, 0]
    collector.check()


def test_notice_that_was_never_wanted_is_a_fault(collector: Collector) -> None:
    """An unexpected release is a fault; a notice about the tool itself is not."""
    arrive(collector, "a", "4.5.20", "4.7.6")
    arrive(collector, "b")
    assert counts(collector) == [2, 0, 1, 0, 0, 0]
    with pytest.raises(AssertionError, match=r"4\.7\.6"):
        collector.check()


def test_repeat_is_a_fault(collector: Collector) -> None:
    """A repeat is a fault with any id; so is the plain form after the urgent one, which includes it."""
    arrive(collector, "a", "4.5.20")
    arrive(collector, "a", "4.5.20")
    arrive(collector, "b", "4.5.20!")
    arrive(collector, "c", "4.5.20")
    assert counts(collector) == [2, 0, 0, 2, 0, 0]
    with pytest.raises(AssertionError):
        collector.check()


def test_unconfirmed_notice_may_repeat_with_its_id(collector: Collector) -> None:
    """A sender that got no reply may repeat it once, with the same id."""
    with collector.window():
        arrive(collector, "a", "4.5.20")
    arrive(collector, "a", "4.5.20", manner=Manner.TAKE_AND_CUT)
    arrive(collector, "a", "4.5.20")
    collector.check()
    assert counts(collector) == [1, 0, 0, 0, 2, 0]
    arrive(collector, "a", "4.5.20")
    assert counts(collector) == [1, 0, 0, 1, 2, 0]


def test_recorded_notice_may_not_repeat(collector: Collector) -> None:
    """A sender that was killed after it had recorded the acceptance may not repeat it."""
    with collector.window():
        arrive(collector, "a", "4.5.20")
    collector.settle([("b", "4.5.20")])
    assert collector.arrivals[0].is_doubtful
    collector.settle([("a", "4.5.20")])
    arrive(collector, "a", "4.5.20")
    assert counts(collector) == [1, 0, 0, 1, 0, 0]


def test_repeat_with_another_id_is_a_fault(collector: Collector) -> None:
    """An unconfirmed notice may not repeat with another id, unless the former id was used without the row."""
    collector.allow(PLACE, "4.7.6")
    with collector.window():
        arrive(collector, "a", "4.5.20", "4.7.6")
    arrive(collector, "b", "4.7.6")
    assert counts(collector) == [2, 0, 0, 1, 0, 0]
    arrive(collector, "a", "4.7.6", manner=Manner.TAKE_AND_CUT)
    arrive(collector, "c", "4.5.20")
    assert counts(collector) == [2, 0, 0, 2, 0, 1]


def test_mail_without_its_id_is_rejected() -> None:
    """Both headers by which a receiver drops repeats have the same id."""
    message = EmailMessage()
    message["X-Update-Check-ID"], message["Message-ID"] = "a", "<b@social.example>"
    with pytest.raises(AssertionError, match="b@social"):
        _read_mail(PLACE, message.as_bytes())
