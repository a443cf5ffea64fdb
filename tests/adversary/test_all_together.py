"""Every neighbour is hostile at once: the daemon notifies the one honest receiver, stays small, and stops in time."""

import signal
from contextlib import ExitStack
from pathlib import Path

from end_to_end.world import World, wait_until
from simulators.http_server import HttpServer, endless
from simulators.postgres_front import Flood, Front, row
from simulators.scripted_smtp_server import ScriptedSmtpServer, Wire

ENDLESS = endless(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", b"x" * 65_536)
MOST_MEGABYTES = 150
"""Most for one process; the unit allows 256 MB for all of them."""


def peaks(parent: int) -> list[int]:
    """Return the most memory that a process and each of its children have used so far, in megabytes."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # it has ended
            continue
        if parent in {int(fields["Pid"]), int(fields["PPid"])} and "VmHWM" in fields:
            found.append(int(fields["VmHWM"].split()[0]) // 1024)
    return found


def test_floods_from_everywhere(tmp_path: Path) -> None:
    """The notice about what the update server listed before it turned hostile reaches the honest receiver."""
    mail_server = ScriptedSmtpServer({"CONNECT": [Wire(b"220-x\r\n" * 600_000)]})
    with ExitStack() as stack, World(tmp_path, mail_server) as world:
        web = stack.enter_context(HttpServer(lambda _: ENDLESS))
        database = stack.enter_context(Front(Flood(lambda: row(b'{"x": "' + b"x" * 60_000 + b'"}'))))
        world.set(**{f"UPDATE_CHECK_WEBHOOK_HOSTILE{number}_URL": web.url(f"/{number}") for number in range(5)})
        world.set(
            DB_HOST="127.0.0.1",
            DB_PORT=str(database.port),
            UPDATE_CHECK_HEARTBEAT_URL=web.url("/ping"),
            UPDATE_CHECK_INSTANCE_URL=web.url("").rstrip("/"),
            UPDATE_CHECK_INTERVAL="5s",
            UPDATE_CHECK_JITTER="0",
            UPDATE_CHECK_RECIPIENTS="devops,ops@social.example",
            UPDATE_CHECK_RELEASE_DETAILS=web.url("/{version}/"),
        )
        world.update_server.publish("4.5.20", urgent=True)
        with (tmp_path / "log").open("w") as log, world.start("run", out=log.fileno(), err=log.fileno()) as daemon:
            highest = 0

            def sees(event: str) -> bool:
                nonlocal highest
                highest = max(highest, *peaks(daemon.pid))
                return f'"{event}"' in (tmp_path / "log").read_text()

            wait_until(lambda: sees("notice.update.available") and len(world.calls) == 1)
            world.update_server.fail(ENDLESS)
            asked = len(world.update_server.asked)
            wait_until(lambda: sees("check.failed") and len(world.update_server.asked) > asked)
            assert world.run("status", "--alive").code == 0
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(30) == 0
    assert highest < MOST_MEGABYTES
