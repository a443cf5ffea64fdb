"""A hostile mail server: it may echo credentials, flood, stall, lie and close; it fails its own sink, and no more."""

import time
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from end_to_end.world import World
from mastodon_update_check.errors import DeliveryError
from mastodon_update_check.sinks.smtp_server import MailLimits
from simulators.scripted_smtp_server import Answer, Dribble, Drop, Hang, ScriptedSmtpServer, Wire
from sinks.examples import MESSAGE, email_sink

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

LOGIN, PASSWORD = "mastodon", "sword/fish & <chips>"
LOGIN64, PASSWORD64, TOKEN = (b64encode(text.encode()).decode() for text in (LOGIN, PASSWORD, f"\0{LOGIN}\0{PASSWORD}"))
PIECES = ("fish", "chips", PASSWORD64[:10], PASSWORD64[-12:], TOKEN[12:24], TOKEN[-12:])
STEPS = ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "END")
OFFER = "250-mail.example\r\n250 AUTH PLAIN LOGIN"
GOOD = {"CONNECT": 220, "AUTH": 235, "DATA": 354}

Script = dict[str, list[Answer]]


def say(server: ScriptedSmtpServer, limits: MailLimits | None = None, method: str = "plain", times: int = 1) -> str:
    """Send a message some times; return all that is shown about the attempts."""
    shown = []
    with email_sink(server.port, limits, login=LOGIN, password=PASSWORD, auth_method=method) as sink:
        for _ in range(times):
            try:
                shown.append(sink.send(MESSAGE))
            except DeliveryError as error:
                shown.append(f"{error.reply} {error!r}")
    text = " ".join(shown)
    assert text.isprintable()
    assert len(text) < 600 * times
    return text


ECHOES = {
    "the password": f"your password {PASSWORD} is wrong",
    "the password, percent-encoded": f"see https://mail.example/?p={quote(PASSWORD, safe='')}",
    "the password, as HTML": "<b>sword/fish &amp; &lt;chips&gt;</b>",
    "the command": f'unknown command "AUTH PLAIN {TOKEN}"',
    "the command, cut at its end": f'unknown command "AUTH PLAIN {TOKEN[:-5]}',
    "the command, cut at its start": f"…{TOKEN[5:]} what?",
    "the command, over two lines": f"{TOKEN[:24]}\r\n{{code}} {TOKEN[24:]}",
    "the password in base64": f"got {PASSWORD64}",
    "a reply longer than what is shown": "x" * 180 + TOKEN,
}


@pytest.mark.parametrize("method", ["plain", "login"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_echoed_credentials_are_not_shown(step: str, echo: str, method: str) -> None:
    """At every step, in refusals as in acceptances, also on a connection that is not logged in yet."""
    for code in (535, 451, GOOD.get(step, 250)):
        separator = "-" if "{code}" in echo else " "
        script: Script = {
            "EHLO": [OFFER],
            "AUTH": ["235 ok" if method == "plain" else "334 VXNlcm5hbWU6"],
            LOGIN64.upper(): ["334 UGFzc3dvcmQ6"],
            PASSWORD64.upper(): ["235 ok"],
        }
        verb = PASSWORD64.upper() if (step, method) == ("AUTH", "login") else step
        script[verb] = [f"{code}{separator}{echo.replace('{code}', str(code))}"]
        with ScriptedSmtpServer(script) as server:
            shown = say(server, times=2)
        assert not [piece for piece in PIECES if piece in shown], shown


FLOODS: dict[str, Answer] = {
    "an endless line": Dribble(pause=0),
    "an endless reply": Wire(b"250-x\r\n" * 600_000),
    "bytes that are not text": Wire(bytes(range(256)) * 100),
    "terminal sequences": Wire(b"550 5.7.1 \x1b]0;owned\x07\x1b[2J\xc2\x9b31m\r\n"),
    "a code of one digit": Wire(b"2 fine\r\n"),
    "only spaces": Wire(b"    \r\n"),
    "a reply of the wrong kind": Wire(b"150 wait\r\n"),
    "a reply too many": Wire(b"250 a\r\n250 b\r\n250 c\r\n250 d\r\n250 e\r\n250 f\r\n250 g\r\n"),
    "the connection closed": Drop(),
    "the connection closed within a line": Drop(b"250 2.0.0 ok"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("attack", FLOODS.values(), ids=FLOODS)
def test_floods_and_lies_end_at_once(step: str, attack: Answer) -> None:
    """No flood is read to its end, and no reply but the one to the final dot is an acceptance."""
    began = time.monotonic()
    with ScriptedSmtpServer({"EHLO": [OFFER], step: [attack]}) as server:
        shown = say(server)
        was_sent = b"".join(server.bodies) != b""

    assert time.monotonic() - began < 25
    assert was_sent == (step == "END")
    is_accepted = shown.startswith("250 ")
    assert is_accepted == (step == "END" and attack == FLOODS["a reply too many"])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("attack", [Dribble(pause=0.01), Hang()], ids=["a byte now and then", "silence"])
def test_stalling_ends_with_the_time_for_it(step: str, attack: Answer) -> None:
    """A byte now and then does not extend the time of a connection or of a mail."""
    limits = MailLimits(connect=0.2, opening=timedelta(seconds=0.4), reply=60, accept=60, total=timedelta(seconds=0.4))
    began = time.monotonic()
    with ScriptedSmtpServer({"EHLO": [OFFER], step: [attack]}) as server:
        assert "it took longer than 0.4 s in all" in say(server, limits)

    assert time.monotonic() - began < 25


ATTACKS: dict[str, Script] = {
    "credentials in the refusal of a login": {"AUTH": [f"535 5.7.8 {PASSWORD} {TOKEN}"]},
    "credentials in an acceptance": {"END": [f"250 2.0.0 {PASSWORD} {TOKEN} {PASSWORD64}"]},
    "a flood": {"EHLO": [Wire(b"250-x\r\n" * 600_000)]},
    "no TLS after STARTTLS": {"EHLO": ["250-mail.example\r\n250 STARTTLS"], "STARTTLS": ["220 go ahead"]},
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_hostile_mail_server_fails_only_its_own_sink(tmp_path: Path, attack: Script) -> None:
    """The webhook is notified all the same, and no credential is in the output, the log or the ledger."""
    server = ScriptedSmtpServer({"EHLO": [OFFER], **attack})
    with World(tmp_path, server) as world:
        world.set(SMTP_LOGIN=LOGIN, SMTP_PASSWORD=PASSWORD)
        world.update_server.publish("4.5.20", urgent=True)
        checked = world.check()
        status = world.run("status", "--json")
        kept = b"".join(world.bytes_of_state().values())

    assert len(world.calls) == 1
    everything = "".join((checked.out, checked.err, status.out, status.err, kept.decode(errors="replace")))
    assert not [piece for piece in PIECES if piece in everything]
    assert checked.code == (0 if attack is ATTACKS["credentials in an acceptance"] else 75), checked.err
