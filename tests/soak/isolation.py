"""The time to serve the other recipients while one address is refused, one webhook is dead, and one sink hangs."""

import tempfile
import time
from datetime import datetime
from pathlib import Path

from daemon.program import Machine, wait_until
from simulators.collector import Arrival, Collector, Manner
from simulators.http_server import unused_port
from simulators.update_server import UpdateServer

HANGING_SINK = """
import time

class Hanging:
    def send(self, message):
        time.sleep(60)

def create(options):
    return Hanging()
"""
PEOPLE = ("gone@social.example", "one@social.example", "two@social.example")
SERVED = (*PEOPLE[1:], "/works")


def measure() -> float:
    """Return the seconds from the stored plan to the last delivery that can succeed."""
    arrived: dict[str, float] = {}

    def note(arrival: Arrival) -> None:
        arrived[arrival.place] = time.time()

    with tempfile.TemporaryDirectory() as home, UpdateServer() as update_server, Collector() as collector:
        collector.manner = lambda place: Manner.REFUSE if place == PEOPLE[0] else Manner.TAKE
        collector.on_arrival = note
        update_server.publish("4.5.20", urgent=True)
        machine = Machine(Path(home))
        machine.install_sink("hanging", HANGING_SINK)
        machine.configure(
            SMTP_SERVER="127.0.0.1",
            SMTP_PORT=collector.mail_server.port,
            UPDATE_CHECK_URL=update_server.url,
            UPDATE_CHECK_RECIPIENTS=",".join(PEOPLE),
            UPDATE_CHECK_WEBHOOK_URL=f"http://127.0.0.1:{unused_port()}/",
            UPDATE_CHECK_WEBHOOK_WORKS_URL=collector.receiver.url("/works"),
            UPDATE_CHECK_SINKS="hanging,webhook,email,log",
        )
        with machine.start() as daemon:
            wait_until(lambda: len(arrived) == len(SERVED), "the others")
            assert arrived.keys() == set(SERVED)
            daemon.wait_for("delivery.failed", sink="email")
            daemon.wait_for("delivery.deferred", sink="webhook")
            wait_until(lambda: ("hanging", 1, None) in machine.attempts, "the one that hangs")
            planned = daemon.wait_for("check.finished")["at"]
            daemon.process.kill()
        return max(arrived.values()) - datetime.fromisoformat(planned).timestamp()
