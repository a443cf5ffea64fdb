"""SIGKILL at every step between fetch and commit; here at some of them, `make soak` takes them all."""

import pytest

from crashes.anew import Anew
from crashes.scene import Scene
from crashes.sweeps import SWEEPS, Sweep, one_hook, one_mail
from processes.starters import Forked

SAMPLES = 4
ONE_BY_ONE = [sweep for sweep in SWEEPS if sweep.prepare in {one_mail, one_hook}]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_killed_at_a_step(sweep: Sweep, forked: Forked) -> None:
    """Wherever it dies, one clean run later everybody has been told, and repeats have the id that they had."""
    steps = sweep.measure(forked)
    for step in range(1 + steps // (2 * SAMPLES), steps, steps // SAMPLES):
        account, _ = sweep.kill_at(step, forked)
        assert account.faults == [], (step, account)


def test_killed_at_a_step_of_a_process_of_its_own(forked: Forked) -> None:
    """Started anew it takes the same steps as a fork, and dies as well."""
    (sweep, *_) = ONE_BY_ONE
    assert sweep.measure(forked) == sweep.measure(Anew())
    account, was_killed = sweep.kill_at(60, Anew())
    assert (account.faults, was_killed) == ([], True)


@pytest.mark.parametrize("sweep", ONE_BY_ONE, ids=lambda sweep: sweep.name)
def test_killed_between_acceptance_and_record(sweep: Sweep, forked: Forked) -> None:
    """Only there somebody hears it twice, with the same id; a step before and a step after, once."""
    with Scene(forked) as scene:
        sweep.prepare(scene)
        steps = scene.count_steps(*sweep.arguments)
    result = len(steps) - steps[::-1].index("UPDATE sink SET settings")
    recorded = result + steps[result:].index("COMMIT") + 1
    handed_over = result - steps[:result][::-1].index("send")
    assert ["sent", "received"] == [step for step in steps[handed_over:recorded] if step in {"sent", "received"}]
    for step in (handed_over, handed_over + 1, recorded, recorded + 1):
        account, was_killed = sweep.kill_at(step, forked)
        assert was_killed
        assert account.faults == []
        is_inside = handed_over < step <= recorded
        assert is_inside == (len(account.excused) == 1), (step, steps[step - 1], account)


def test_the_steps_are_those_that_matter(forked: Forked) -> None:
    """A check is seen to ask, to plan, to claim, to send and to record, in this order."""
    with Scene(forked) as scene:
        one_mail(scene)
        steps = iter(scene.count_steps("check"))
    expected = (
        "os.link",  # the new ledger
        "socket.connect",  # the update server
        "received",
        "INSERT INTO delivery (instance,",
        "COMMIT",
        "INSERT INTO attempt (message_id,",
        "COMMIT",
        "socket.connect",  # the mail server
        "sent",
        "received",
        "UPDATE delivery SET state",
        "COMMIT",
    )
    assert [] == [name for name in expected if name not in steps]
