"""Whichever node dies or freezes, in whatever it is doing: the others carry on within half a minute."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest

from cluster.crew import INTERVAL, Crew
from cluster.mailbox import AFTER, BEFORE
from simulators.http_server import Raw

HOSTS = ("node-1", "node-2", "node-3")
BOUND = timedelta(seconds=30 + INTERVAL).total_seconds()
"""From when the next check was due, which is an interval after the last."""

Harm = Callable[[Crew, str], None]


def kill(crew: Crew, host: str) -> None:
    """Lose the machine."""
    crew.kill(host)


def freeze(crew: Crew, host: str) -> None:
    """Let the machine stand still."""
    crew.freeze(host)


def between_checks(crew: Crew, harm: Harm) -> set[str]:
    """Harm the node that checks while it waits for its next check."""
    host = crew.checker()
    harm(crew, host)
    crew.updates.publish("4.5.2")
    return {host}


def in_a_check(crew: Crew, harm: Harm) -> set[str]:
    """Harm the node that checks while it waits for the update server's answer."""
    harmed: set[str] = set()

    def answer() -> Iterator[float]:
        if not harmed:
            harmed.add(crew.checker())
            harm(crew, *harmed)
            crew.updates.recover()
        yield 60.0

    crew.updates.publish("4.5.2")
    crew.updates.fail(Raw(answer()))
    crew.wait(lambda: harmed, "a question of the update server")
    return harmed


def delivering(crew: Crew, harm: Harm, stage: str) -> set[str]:
    """Harm a node in the middle of a delivery, whether it checks or not."""
    (hold,) = crew.publish_and_hold("4.5.2", stage)
    host = crew.host_of(hold.pid)
    harm(crew, host)
    hold.may_go_on.set()
    return {host}


def checker_delivering(crew: Crew, harm: Harm) -> set[str]:
    """Harm the node that checks in the middle of a delivery."""
    host = crew.checker()
    crew.mailbox.pids = [crew.processes[host].pid]
    return delivering(crew, harm, AFTER)


def two_delivering(crew: Crew, harm: Harm) -> set[str]:
    """Harm the one that found the release and another one, both in the middle of a delivery: one node is left."""
    hosts = {crew.host_of(hold.pid) for hold in crew.publish_and_hold("4.5.2", BEFORE, BEFORE)}
    for host in hosts:
        harm(crew, host)
    for hold in crew.mailbox.holds:
        hold.may_go_on.set()
    return hosts


PLACES = {
    "between two checks": between_checks,
    "in a check": in_a_check,
    "before the body": partial(delivering, stage=BEFORE),
    "after it was accepted": partial(delivering, stage=AFTER),
    "checks and delivers": checker_delivering,
    "two deliver, one of which checks": two_delivering,
}


@pytest.mark.timeout(200)
@pytest.mark.parametrize("harm", [kill, freeze], ids=["killed", "frozen"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_others_carry_on(crew: Crew, place: Callable[[Crew, Harm], set[str]], harm: Harm) -> None:
    """All are told of this release and of the next one, which another node must find; who was frozen does no harm."""
    crew.start(*HOSTS)
    crew.tell("4.5.1")
    crew.settle()
    known = set(crew.mailbox.accepted)
    harmed = place(crew, harm)
    crew.wait_told(known, "4.5.2", BOUND)
    known = set(crew.mailbox.accepted)
    crew.updates.publish("4.5.3")
    crew.wait_told(known, "4.5.3", BOUND)
    before = len(set(crew.mailbox.accepted))
    for host in harmed:
        if harm is freeze:
            crew.thaw(host)
        else:
            crew.start(host)
    crew.tell("4.5.4")
    got = crew.settle()

    assert 3 * len(crew.people) == before
    assert 4 * len(crew.people) == len(got)
    assert sum(got.values()) - len(got) <= (1 if place in ACCEPTED else 0)


ACCEPTED = (PLACES["after it was accepted"], checker_delivering)
"""Where one mail may have been accepted without being recorded."""
