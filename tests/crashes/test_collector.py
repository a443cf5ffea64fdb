"""The collector: missing, unwanted and repeated notices are faults; excused repeats are counted apart."""

from collections.abc import Iterator, Sequence
from email.message import EmailMessage

import pytest

from simulators.collector import Collector, Manner, _arrival, _read_mail

PLACE = "ops@social.example"
SURE, CUT = Manner.TAKE, Manner.TAKE_AND_CUT
TWO = "4.5.20", "4.7.6"
CASES: dict[str, tuple[Sequence[tuple[str, Sequence[str], Manner]], list[int]]] = {
    "a wanted notice that does not arrive": ([], [0, 1, 0, 0, 0, 0]),
    "a wanted notice": ([("a", ["4.5.20"], SURE)], [1, 0, 0, 0, 0, 0]),
    "its urgent form": ([("a", ["4.5.20!"], SURE)], [1, 0, 0, 0, 0, 0]),
    "a release that was never wanted": ([("a", ["4.5.20", "5.0.0"], SURE)], [1, 0, 1, 0, 0, 0]),
    "a notice about the tool itself": ([("a", ["4.5.20"], SURE), ("b", [], SURE)], [2, 0, 0, 0, 0, 0]),
    "a repeat": ([("a", ["4.5.20"], SURE)] * 2, [1, 0, 0, 1, 0, 0]),
    "the plain form after the urgent one": ([("a", ["4.5.20!"], SURE), ("b", ["4.5.20"], SURE)], [1, 0, 0, 1, 0, 0]),
    "a sender without a reply": ([("a", ["4.5.20"], CUT)] * 2 + [("a", ["4.5.20"], SURE)], [1, 0, 0, 0, 2, 0]),
    "once more after the reply": ([("a", ["4.5.20"], CUT)] + [("a", ["4.5.20"], SURE)] * 2, [1, 0, 0, 1, 1, 0]),
    "a repeat with another id": ([("a", TWO, CUT), ("b", ["4.7.6"], SURE)], [2, 0, 0, 1, 0, 0]),
    "an id that was used without the row": (
        [("a", TWO, CUT), ("a", ["4.7.6"], CUT), ("c", ["4.5.20"], SURE)],
        [2, 0, 0, 0, 1, 1],
    ),
}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Return a collector that expects one release at one recipient."""
    with Collector() as collector:
        collector.want(PLACE, "4.5.20", "4.5.20!")
        collector.allow(PLACE, "4.7.6")
        yield collector


def counts(collector: Collector) -> Sequence[int]:
    """Return how many are delivered, lost, unwanted, repeated, excused, left out."""
    account = collector.account()
    kinds = (account.delivered, account.lost, account.unwanted, account.repeats, account.excused, account.left_out)
    return [len(kind) for kind in kinds]


@pytest.mark.parametrize(("arrivals", "expected"), CASES.values(), ids=CASES)
def test_account(
    collector: Collector, arrivals: Sequence[tuple[str, Sequence[str], Manner]], expected: Sequence[int]
) -> None:
    """Lost, unwanted and repeated notices are faults; repeats of what was in doubt are not."""
    for key, rows, manner in arrivals:
        collector._take(_arrival(PLACE, key, list(rows)), manner)
    assert counts(collector) == expected
    if any(expected[1:4]):
        with pytest.raises(AssertionError):
            collector.check()
    else:
        collector.check()


def test_recorded_notice_may_not_repeat(collector: Collector) -> None:
    """What arrives in a window is in doubt, until the sender is found to have recorded the acceptance."""
    with collector.window():
        collector._take(_arrival(PLACE, "a", ["4.5.20"]), SURE)
    collector.settle([("b", "4.5.20")])
    assert collector.arrivals[0].is_doubtful
    collector.settle([("a", "4.5.20")])
    collector._take(_arrival(PLACE, "a", ["4.5.20"]), SURE)
    assert counts(collector) == [1, 0, 0, 1, 0, 0]


def test_mail_without_its_id_is_rejected() -> None:
    """Both headers by which a receiver drops repeats have the same id."""
    message = EmailMessage()
    message["X-Update-Check-ID"], message["Message-ID"] = "a", "<b@social.example>"
    with pytest.raises(AssertionError, match="b@social"):
        _read_mail(PLACE, message.as_bytes())
