"""Every class of reply at every step of a mail, as one table.

Columns are what the server does at the step that the row names; at all other steps it is polite. A cell says what
becomes of the mail, and whom it holds up:

====== ==========================================================================================
ok     accepted
sink   put off, and with it everything else for this server: it is the server's or the settings' fault
later  put off, this mail alone
never  refused for good, this mail alone
?      unknown: it may have been accepted; put off, this mail alone
====== ==========================================================================================
"""

import ssl
from datetime import timedelta

import pytest

from mastodon_update_check.errors import DeliveryError, PermanentDeliveryError, TransientDeliveryError
from mastodon_update_check.jobs.deliver import ATTEMPT_LIMIT
from mastodon_update_check.sinks.email import EmailSink
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.scripted_smtp_server import Answer, Drop, Hang, ScriptedSmtpServer, Wire
from sinks.examples import MESSAGE, PASSWORD, email_sink, to

# `good` is 250, 220, 235 or 354, as the step requires; `odd` is of a class that fits another step.
TABLE = """
          good  multi  4xx   421   550    554.1  535   odd   garbage  long  endless  drop  part  slow
CONNECT   ok    ok     sink  sink  sink   sink   sink  sink  sink     sink  sink     sink  sink  sink
EHLO      ok    ok     sink  sink  sink   sink   sink  sink  sink     sink  sink     sink  sink  sink
STARTTLS  ok    ok     sink  sink  sink   sink   sink  sink  sink     sink  sink     sink  sink  sink
AUTH      ok    ok     sink  sink  sink   sink   sink  sink  sink     sink  sink     sink  sink  sink
MAIL      ok    ok     sink  sink  sink   sink   sink  sink  sink     sink  sink     sink  sink  sink
RCPT      ok    ok     later sink  never  later  sink  later later    later later    later later later
DATA      ok    ok     later sink  never  later  sink  later later    later later    later later later
END       ok    ok     later sink  never  later  sink  ?     ?        ?     ?        ?     ?     ?
RSET      ok    ok     ok    ok    ok     ok     ok    ok    ok       ok    ok       ok    ok    ok
QUIT      ok    ok     ok    ok    ok     ok     ok    ok    ok       ok    ok       ok    ok    ok
"""
REASONS = {
    "4xx": "451 4.3.0 in a while",
    "421": "421 4.3.2 closing",
    "550": "550 5.1.1 no user 5.1.1 of that name",
    "554.1": "554 5.7.1 refused by policy",
    "535": "535 5.7.8 bad credentials",
    "slow": "it took too long",
    **dict.fromkeys(("long", "endless", "drop", "part"), "the connection was lost"),
}
"""The end of the error's sentence."""
GOOD = {"CONNECT": 220, "STARTTLS": 220, "AUTH": 235, "DATA": 354, "QUIT": 221}
COLUMNS, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CELLS = [
    pytest.param(row[0], column, cell, id=f"{row[0]}-{column}")
    for row in ROWS
    for column, cell in zip(COLUMNS, row[1:], strict=True)
]
BOUNDS = MailLimits(connect=2, reply=2, accept=2, total=timedelta(seconds=30))
IMPATIENT = MailLimits(connect=0.2, reply=0.2, accept=0.2, total=timedelta(seconds=30))


def answer(verb: str, column: str) -> Answer:
    """Return what the server does."""
    good = GOOD.get(verb, 250)
    return {
        "good": f"{good} fine",
        "multi": f"{good}-fine\r\n{good}-in every way\r\n{good} and done",
        "4xx": "451 4.3.0 in a while",
        "421": "421 4.3.2 closing",
        "550": "550-5.1.1 no user\r\n550 5.1.1 of that name",
        "554.1": "554 5.7.1 refused by policy",
        "535": "535 5.7.8 bad credentials",
        "odd": "250 fine" if verb == "DATA" else "354 go on",
        "garbage": Wire(b"\xff\xfe\x00 HTTP/1.1 400 Bad Request\r\n"),
        "long": Wire(b"%d-" % good + b"x" * 9_000 + b"\r\n%d ok\r\n" % good),
        "endless": Wire(b"%d-x\r\n" % good * 200_000),
        "drop": Drop(),
        "part": Drop(b"%d" % good),
        "slow": Hang(),
    }[column]


def outcome(error: DeliveryError | None) -> str:
    """Return the word of the table for it."""
    if error is None:
        return "ok"
    if isinstance(error, PermanentDeliveryError):
        return "never for all" if error.sink_wide else "never"
    if error.sink_wide:
        return "sink"
    assert isinstance(error, TransientDeliveryError)
    return "?" if error.may_have_arrived else "later"


def script(verb: str, column: str) -> dict[str, list[Answer]]:
    """Return the server's part: polite but at that step."""
    offers = {"STARTTLS": "250-mail.example\r\n250 STARTTLS", "AUTH": "250-mail.example\r\n250 AUTH PLAIN"}
    around: dict[str, list[Answer]] = {"EHLO": [offers.get(verb, "250 mail.example")]}
    if verb == "RSET":  # it is said where a mail before was refused
        around["RCPT"] = ["550 5.1.1 no such user", "250 ok"]
    return {**around, verb: [answer(verb, column)]}


@pytest.mark.usefixtures("trusted_authority")
@pytest.mark.parametrize(("verb", "column", "expected"), CELLS)
def test_reply_at_a_step(server_tls: ssl.SSLContext, verb: str, column: str, expected: str) -> None:
    """The table holds; the error names the server and the reason; no mail is sent before the server is ready for it."""
    options = {"login": "mastodon", "password": PASSWORD} if verb == "AUTH" else {}
    bounds = IMPATIENT if column == "slow" else BOUNDS
    with (
        ScriptedSmtpServer(script(verb, column), tls=server_tls) as server,
        email_sink(server.port, bounds, **options) as sink,
    ):
        if verb == "RSET":
            with pytest.raises(PermanentDeliveryError):
                sink.send(to("gone@social.example"))
        error = attempt(sink)

    assert outcome(error) == expected
    assert bool(b"".join(server.bodies)) == (expected in {"ok", "?"} or verb == "END")
    if error is not None:
        assert error.reply.startswith(f"localhost:{server.port} ")
        assert error.reply.endswith(REASONS.get(column, ""))
        assert error.reply.isprintable()


def attempt(sink: EmailSink) -> DeliveryError | None:
    """Send one mail and take leave; only the former may fail."""
    error = None
    try:
        sink.send(MESSAGE)
    except DeliveryError as failure:
        error = failure
    sink.close()
    return error


def test_the_wait_after_the_final_dot_is_that_of_the_standard() -> None:
    """Ten minutes (RFC 5321, 4.5.3.2.6), within the bound on the whole mail and on the attempt."""
    assert timedelta(seconds=MailLimits().accept) >= timedelta(minutes=10)
    assert timedelta(seconds=MailLimits().accept) < MailLimits().total < ATTEMPT_LIMIT
