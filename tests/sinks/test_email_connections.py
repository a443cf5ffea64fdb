"""The connection to the mail server: kept from mail to mail, renewed where it ended, and never left in doubt."""

import pytest

from domain.examples import cases
from mastodon_update_check.errors import DeliveryError, TransientDeliveryError
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.scripted_smtp_server import Answer, Drop, Hang, ScriptedSmtpServer, Wire
from simulators.smtp_server import SmtpServer
from sinks.examples import MESSAGE, PATIENT, SHORT, email_sink, to


def test_connection_is_renewed() -> None:
    """After the agreed number of mails a new connection is made: some servers count."""
    with SmtpServer() as server, email_sink(server.port, MailLimits(mails=2)) as sink:
        for number in range(5):
            sink.send(to(f"admin{number}@social.example"))

    assert [mail.connection for mail in server.mails] == [1, 1, 2, 2, 3]
    assert [f"admin{number}@social.example" for number in range(5)] == [mail.recipient for mail in server.mails]


def limits_for(answer: Answer) -> MailLimits:
    """Return short limits for a server that hangs, and long ones for others, which may be slow on a loaded machine."""
    return SHORT if isinstance(answer, Hang) else PATIENT


@pytest.mark.parametrize(
    "fault",
    ["500 no", "452 enough", "421 4.4.2 idle for too long", Drop(), Hang(), Wire(b"?\r\n")],
    ids=["500", "452", "421", "dropped", "hanging", "nonsense"],
)
def test_idle_connection_found_dead(fault: Answer) -> None:
    """When MAIL fails on a kept connection, one new connection is opened, and nothing is reported."""
    script: dict[str, list[Answer]] = {"MAIL": ["250 ok", fault, "250 ok"]}
    with ScriptedSmtpServer(script) as server, email_sink(server.port, limits_for(fault)) as sink:
        sink.send(MESSAGE)
        sink.send(to("next@social.example"))

    mail = ["MAIL", "RCPT", "DATA"]
    assert server.verbs == ["EHLO", *mail, "MAIL", "EHLO", *mail, "QUIT"]


def test_dead_server_behind_an_idle_connection() -> None:
    """When the new connection fails too, that is the error; it is not tried a third time."""
    script: dict[str, list[Answer]] = {"CONNECT": ["220 hello", "554 5.3.2 closed"], "MAIL": ["250 ok", Drop()]}
    with ScriptedSmtpServer(script) as server, email_sink(server.port, PATIENT) as sink:
        sink.send(MESSAGE)
        with pytest.raises(TransientDeliveryError) as caught:
            sink.send(MESSAGE)

    assert str(caught.value) == f"localhost:{server.port} answered the connection with 554 5.3.2 closed"
    assert server.verbs == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL"]


@cases(
    "verb reply again",
    ("a refused recipient: the connection is kept", "RCPT", "550 5.1.1 unknown", ["RSET"]),
    ("a mail put off: the connection is kept", "END", "451 4.3.0 later", ["RSET"]),
    ("421: a new connection", "RCPT", "421 4.3.2 closing", ["EHLO"]),
    ("the sink's fault: a new connection", "MAIL", "451 4.3.0 later", ["EHLO"]),
    ("lost: a new connection", "RCPT", Drop(), ["EHLO"]),
    ("lost after the body: a new connection", "END", Drop(), ["EHLO"]),
)
def test_connection_after_a_failure(verb: str, reply: Answer, again: list[str]) -> None:
    """After a failure the connection is kept where both sides still agree on where they stand."""
    script: dict[str, list[Answer]] = {verb: [reply, "250 ok"]}
    with ScriptedSmtpServer(script) as server, email_sink(server.port, PATIENT) as sink:
        with pytest.raises(DeliveryError):
            sink.send(MESSAGE)
        sink.send(to("next@social.example"))

    assert server.verbs[-len(again) - 4 :] == [*again, "MAIL", "RCPT", "DATA", "QUIT"]
