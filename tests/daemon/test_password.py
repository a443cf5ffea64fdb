"""A corrected password: messages that wait are sent after the reload, without waiting for their backoff."""

import pytest

from daemon.program import Machine
from simulators.smtp_server import SmtpServer
from simulators.update_server import UpdateServer


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
def test_messages_are_sent_after_a_password_is_corrected(machine: Machine, update_server: UpdateServer) -> None:
    """The next check is half an hour away, and the mail server has refused the former password."""
    update_server.publish("4.5.20")
    with SmtpServer(users={"m": "new"}) as mail:
        server = {"SMTP_SERVER": "127.0.0.1", "SMTP_PORT": str(mail.port), "SMTP_LOGIN": "m"}
        machine.configure(UPDATE_CHECK_SINKS="email,log", **server, SMTP_PASSWORD="old")
        with machine.start() as daemon:
            daemon.wait_for("delivery.deferred", count=2)  # the next attempt is five minutes away
            machine.configure(UPDATE_CHECK_SINKS="email,log", **server, SMTP_PASSWORD="new")
            daemon.reload()
            daemon.wait_for("delivery.sent", sink="email")
            assert len(mail.mails) == 1
