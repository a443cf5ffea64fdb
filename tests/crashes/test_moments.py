"""Killed by the other side, at the moment when it has taken a message and not answered yet."""

from concurrent.futures import Future

import pytest

from crashes.scene import PLACES, Scene
from processes.starters import KILLED, Forked, Process, kill_all
from simulators.collector import Arrival


def kill_at_arrival(scene: Scene, place: str, command: str) -> None:
    """Run the program; it dies when that place has the whole message, and waits for the reply."""
    process: Future[Process] = Future()

    def on_arrival(arrival: Arrival) -> None:
        if arrival.place == place:
            kill_all(process.result())

    scene.collector.on_arrival = on_arrival
    with scene.collector.window():
        process.set_result(scene.start(command))
        assert process.result().wait() == KILLED
    scene.collector.on_arrival = lambda _: None
    scene.settle()


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("place", PLACES)
def test_killed_before_the_reply(forked: Forked, place: str, command: str) -> None:
    """That message comes again with the same id; so may others that were on their way, and nothing else does."""
    with Scene(forked) as scene:
        scene.publish("4.5.20", urgent=True)
        kill_at_arrival(scene, place, command)
        scene.recover()
        account = scene.collector.account()
    assert account.faults == []
    assert [place] == [repeat.partition(":")[0] for repeat in account.excused if repeat.startswith(place)]


@pytest.mark.parametrize("place", ["all@social.example", "/one"])
def test_killed_again_and_again(forked: Forked, place: str) -> None:
    """However often it dies, the same message comes with the same id; once recorded it comes no more."""
    with Scene(forked) as scene:
        scene.tell({place: "all"})
        scene.publish("4.5.20")
        for _ in range(3):
            kill_at_arrival(scene, place, "run")
        for _ in range(2):
            scene.recover()
        scene.collector.check()
        assert (4, 1) == (len(scene.collector.arrivals), len({arrival.id for arrival in scene.collector.arrivals}))
