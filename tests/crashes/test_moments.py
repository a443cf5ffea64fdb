"""SIGKILL when the other side has the whole message, and has not replied yet."""

from concurrent.futures import Future

import pytest

from crashes.scenario import RECIPIENTS, Scenario
from processes.starters import KILLED, Forked, Process, kill_all
from simulators.collector import Arrival


def kill_at_arrival(scenario: Scenario, place: str, command: str) -> None:
    """Run the program; it is killed when that recipient's server has the whole message, before the reply."""
    process: Future[Process] = Future()

    def on_arrival(arrival: Arrival) -> None:
        if arrival.place == place:
            kill_all(process.result())

    scenario.collector.on_arrival = on_arrival
    with scenario.collector.window():
        process.set_result(scenario.start(command))
        assert process.result().wait() == KILLED
    scenario.collector.on_arrival = lambda _: None
    scenario.settle()


@pytest.mark.parametrize(
    ("place", "command"),
    [*((place, "check") for place in RECIPIENTS), ("all@social.example", "run"), ("/one", "run")],
)
def test_killed_before_the_reply(forked: Forked, place: str, command: str) -> None:
    """That message repeats with the same id; others in progress may repeat, and nothing else does."""
    with Scenario(forked) as scenario:
        scenario.publish("4.5.20", urgent=True)
        kill_at_arrival(scenario, place, command)
        scenario.recover()
        account = scenario.collector.account()
    assert account.faults == []
    assert [repeat.partition(":")[0] for repeat in account.excused if repeat.startswith(place)] == [place]


@pytest.mark.parametrize("place", ["all@social.example", "/one"])
def test_killed_again_and_again(forked: Forked, place: str) -> None:
    """After each kill the message repeats with the same id; once it is recorded, it does not."""
    with Scenario(forked) as scenario:
        scenario.set_recipients({place: "all"})
        scenario.publish("4.5.20")
        for _ in range(3):
            kill_at_arrival(scenario, place, "run")
        for _ in range(2):
            scenario.recover()
        scenario.collector.check()
        assert len(scenario.collector.arrivals) == 4
        assert len({arrival.id for arrival in scenario.collector.arrivals}) == 1
