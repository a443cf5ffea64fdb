"""The service: all workers of one configuration; what they have in hand, and whether they are well."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from captured_logs import capture_logs
from daemon.program import LONGEST, Machine, wait_until
from mastodon_update_check.app import App
from mastodon_update_check.config import load_settings
from mastodon_update_check.daemon.service import Service
from mastodon_update_check.jobs.operations import Operations


def test_service_defects(machine: Machine) -> None:
    """A worker that has died is a defect; one that was told to stop is none."""
    service = Service(App(load_settings(machine.environment)), lambda: None)
    assert ("worker of log",) == service.defects()
    service.start()
    assert not service.defects()
    service.drain(time.monotonic())  # asleep, with nothing in hand: there is nothing to release
    service.stop()
    service.drain(time.monotonic() + LONGEST)
    assert [True, False] == [service.is_over, bool(service.defects())]
    assert not service.troubles()


def test_reload_keeps_what_this_process_saw_first(machine: Machine) -> None:
    """Otherwise a tree that was replaced before the reload would be taken for the one that the server runs from."""
    app = App(load_settings(machine.environment))
    service = Service(app, lambda: None)
    assert service.sight is Service(app, lambda: None, service).sight


@pytest.mark.usefixtures("update_server")
def test_release_without_a_ledger(machine: Machine) -> None:
    """What cannot be given back for want of a ledger is free when its lease has run out: the stop goes on."""
    gate = machine.home / "gate"
    machine.install_sink("gated", GATED.format(gate=str(gate)))
    with importable(machine.home / "packages"):
        machine.configure(UPDATE_CHECK_SINKS="gated")
        app = App(load_settings(machine.environment))
        with app.create_ledger() as ledger:
            app.check(ledger)
        away = Path(str(app.ledger_place)).with_name("away")
        service = Service(app, lambda: None)
        service.start()
        try:
            wait_until(gate.exists, "the attempt")
            service.stop()
            Path(str(app.ledger_place)).rename(away)
            with capture_logs() as lines:
                service.drain(time.monotonic())
            away.rename(Path(str(app.ledger_place)))
        finally:
            gate.unlink(missing_ok=True)
            service.drain(time.monotonic() + LONGEST)
    assert ["delivery.released", "ledger.failed"] == [line["event"] for line in lines]
    assert service.is_over


GATED = """
import time
from pathlib import Path

class Gated:
    def send(self, message):
        gate = Path({gate!r})
        gate.touch()
        while gate.exists():
            time.sleep(0.02)

def create(options):
    return Gated()
"""


@contextmanager
def importable(packages: Path) -> Iterator[None]:
    """Let this process find the packages of a machine."""
    sys.path.insert(0, str(packages))
    try:
        yield
    finally:
        sys.path.remove(str(packages))


def test_operations() -> None:
    """An operation is overdue past its limit, until it is renewed or over, however it ends."""
    operations = Operations()
    nothing, long = timedelta(), timedelta(hours=1)
    with operations.running("quick", nothing), operations.running("slow", long):
        assert ("quick",) == operations.overdue()
    assert operations.is_idle
    with suppress(RuntimeError), operations.running("quick", nothing):
        raise RuntimeError("as a test")
    assert operations.is_idle
    with operations.running("steps", timedelta(seconds=0.2)) as renew:
        wait_until(operations.overdue, "the limit")
        renew()
        assert () == operations.overdue()
