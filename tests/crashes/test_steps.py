"""SIGKILL at some steps of each sweep; `make soak` takes every step."""

import pytest

from crashes.scenario import NewInterpreter, Scenario
from crashes.sweeps import SWEEPS, Sweep, one_hook, one_mail
from processes.starters import Forked

SAMPLES = 3
ONE_BY_ONE = [sweep for sweep in SWEEPS if sweep.prepare in {one_mail, one_hook}]


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.name)
def test_killed_at_a_step(sweep: Sweep, forked: Forked) -> None:
    """After one clean run every recipient has been notified, and a repeat has the id of the first message."""
    steps = sweep.measure(forked)
    for step in range(1 + steps // (2 * SAMPLES), steps, steps // SAMPLES):
        account, _ = sweep.kill_at(step, forked)
        assert account.faults == [], (step, account)


def test_new_interpreter_is_killed_at_the_same_step(forked: Forked) -> None:
    """It takes the same steps as a fork."""
    (sweep, *_) = ONE_BY_ONE
    assert sweep.measure(forked) == sweep.measure(NewInterpreter())
    account, was_killed = sweep.kill_at(60, NewInterpreter())
    assert (account.faults, was_killed) == ([], True)


@pytest.mark.parametrize("sweep", ONE_BY_ONE, ids=lambda sweep: sweep.name)
def test_killed_between_acceptance_and_record(sweep: Sweep, forked: Forked) -> None:
    """Only there the message repeats, with the same id; a step before and a step after it does not."""
    with Scenario(forked) as scenario:
        sweep.prepare(scenario)
        steps = scenario.count_steps(*sweep.arguments)
    result = len(steps) - steps[::-1].index("UPDATE sink SET settings")
    recorded = result + steps[result:].index("COMMIT") + 1
    handed_over = result - steps[:result][::-1].index("send")
    assert [step for step in steps[handed_over:recorded] if step in {"sent", "received"}] == ["sent", "received"]
    for step in (handed_over, handed_over + 1, recorded, recorded + 1):
        account, was_killed = sweep.kill_at(step, forked)
        assert was_killed
        assert account.faults == []
        is_inside = handed_over < step <= recorded
        assert is_inside == (len(account.excused) == 1), (step, steps[step - 1], account)
