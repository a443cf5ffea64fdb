"""A notice to many recipients: two connections at a time, and a crash repeats at most the message of each."""

import signal
from collections import Counter

from daemon.program import Machine, wait_until
from mastodon_update_check.jobs.workers import LANES, MESSAGES_A_LANE
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer

RECIPIENTS = [f"user{n}@social.example" for n in range(2 * MESSAGES_A_LANE)]


def test_killed_while_many_mails_are_delivered(machine: Machine, update_server: UpdateServer) -> None:
    """Every recipient gets the notice; a kill repeats no more messages than were in flight, with the same ids."""
    assert update_server.url
    with SmtpServer() as smtp:
        machine.configure(
            SMTP_SERVER="127.0.0.1",
            SMTP_PORT=smtp.port,
            UPDATE_CHECK_SINKS="email",
            UPDATE_CHECK_RECIPIENTS=",".join(RECIPIENTS),
            UPDATE_CHECK_OPERATOR="user0@social.example",
        )
        with machine.start() as daemon:
            wait_until(lambda: len({mail.connection for mail in smtp.mails}) == LANES, "mails over each connection")
            daemon.end(signal.SIGKILL)
        with machine.start() as daemon:
            wait_until(lambda: {mail.recipient for mail in smtp.mails} >= {*RECIPIENTS}, "the other mails")
            wait_until(lambda: {row[2] for row in machine.attempts} <= {"sent", "unknown"}, "the last result")
            assert daemon.end() == 0
    assert len(smtp.mails) - len(RECIPIENTS) <= LANES
    ids = Counter(mail.message["X-Update-Check-ID"] for mail in smtp.mails)
    assert len(ids) == len(RECIPIENTS)
