"""A hostile webhook receiver: it may echo secrets, be slow, endless or huge, and lead elsewhere."""

import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from mastodon_update_check.errors import DeliveryError, TransientDeliveryError
from mastodon_update_check.http.request import EXCERPT, Limits
from mastodon_update_check.sinks.webhook import create
from simulators.http_server import Answer, Handler, HttpServer, Raw, Reply, Request, dribble, endless, hang, truncated
from sinks.examples import MESSAGE

SHORT = replace(EXCERPT, connect=timedelta(seconds=0.3), read=timedelta(seconds=0.3), total=timedelta(seconds=5))
PATIENT = replace(EXCERPT, connect=timedelta(seconds=30), read=timedelta(seconds=30), total=timedelta(seconds=30))
HURRIED = replace(EXCERPT, total=timedelta(seconds=0.4))
SECRET = "whsec_" + b64encode(b"n" * 32).decode()
PATH = "/services/T0001/B0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2hunter2hunter2"
LOGIN = "mastodon:swordfish%21"
PIECES = (
    "T0001",
    "XXXXXXXX",
    "hunter2",
    "swordfish",
    "mastodon:",
    b64encode(b"mastodon:swordfish!").decode()[:6],
    SECRET[10:],
)


def post(answer: Answer, limits: Limits = PATIENT) -> str:
    """Post one message; return the reply."""
    with HttpServer(lambda _: answer) as server:
        return create({"url": server.url("/hook", "localhost")}, limits).send(MESSAGE)


def refusal(answer: Answer, limits: Limits = PATIENT) -> DeliveryError:
    """Return the error that one message leads to."""
    with pytest.raises(DeliveryError) as caught:
        post(answer, limits)
    assert caught.value.reply.isprintable()
    assert len(caught.value.reply) < 300
    return caught.value


def echo(request: Request) -> str:
    """Return the whole request as a text."""
    return f"{request.method} {request.target} {dict(request.headers)}"


ECHOES: list[tuple[str, Handler]] = [
    ("as text", lambda request: Reply(404, echo(request).encode())),
    ("as JSON", lambda request: Reply.json({"url": request.target, "headers": dict(request.headers)}, 404)),
    ("Authorization alone", lambda request: Reply(403, request.headers["authorization"].encode())),
    ("the path alone", lambda request: Reply(404, f"no such hook: {request.path}".encode())),
    ("the token alone", lambda _: Reply(404, b"bad token hunter2hunter2hunter2")),
    ("user and password", lambda _: Reply(401, b"user mastodon, your password swordfish%21 is swordfish!")),
    ("the signing secret", lambda _: Reply(400, SECRET.encode())),
    ("in the reason", lambda request: Raw([f"HTTP/1.1 500 {request.headers['authorization']}\r\n\r\n".encode()])),
    ("in a redirect", lambda request: Reply.redirect(f"https://swordfish!.example{request.target}")),
    ("in an accepted message", lambda request: Reply(200, echo(request).encode())),
    ("cut", lambda request: Reply(500, (b" " * 990 + b"x " + request.headers["authorization"].encode()))),
]  # fmt: skip


@pytest.mark.parametrize("answer", [row[1] for row in ECHOES], ids=[row[0] for row in ECHOES])
def test_echoed_secrets_are_not_shown(answer: Handler) -> None:
    """Of the URL only host and port are shown, in errors and in accepted replies alike; no secret is."""
    with HttpServer(answer) as server:
        sink = create({"url": f"http://{LOGIN}@localhost:{server.port}{PATH}", "secret": SECRET})
        try:
            said = sink.send(MESSAGE)
        except DeliveryError as error:
            said = f"{error.reply} {error!r} {error.__cause__!r}"
    assert not [piece for piece in PIECES if piece in f"{said} {sink!r}"], said


def test_proxy_that_echoes_its_login() -> None:
    """The proxy's user and password are secrets too."""
    with HttpServer(lambda request: Reply(407, request.headers["proxy-authorization"].encode())) as proxy:
        options = {"url": "http://hook.example/", "http_proxy": f"http://ann:swordfish@127.0.0.1:{proxy.port}"}
        with pytest.raises(DeliveryError) as caught:
            create(options).send(MESSAGE)
    assert caught.value.reply.partition(" answered ")[2].startswith("407 ")
    assert b64encode(b"ann:swordfish").decode() not in caught.value.reply


def test_control_characters() -> None:
    """The answer is shown on one line, cut, without control characters."""
    error = refusal(Reply(500, b"first\r\n\x1b[31msecond \xe2\x80\xae" + b"x" * 5000))
    assert " answered 500 Internal Server Error first [31msecond xxx" in error.reply


ACCEPTED: list[tuple[str, Callable[[], Answer]]] = [
    ("an endless body", lambda: endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536)),
    ("a body that breaks off", lambda: truncated(Reply(body=b"x" * 100), 50)),
    ("an encoded body", lambda: Reply(body=b"\x1f\x8b???", headers={"Content-Encoding": "gzip"})),
    ("no body at all", lambda: Raw([b"HTTP/1.1 204 No Content\r\n\r\n"])),
    ("a body that never comes", lambda: Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 3600.0])),
    ("a body, byte by byte", lambda: Raw([b"HTTP/1.1 200 OK\r\n\r\n", *dribble(b"x" * 999).parts])),
]


@pytest.mark.parametrize("limits", [SHORT, HURRIED], ids=["by steps", "as a whole"])
@pytest.mark.parametrize("answer", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_status_decides(answer: Callable[[], Answer], limits: Limits) -> None:
    """Once the status 2xx has been read, the message is accepted, however the body ends."""
    assert post(answer(), limits).startswith("20")


REFUSED = [
    ("no answer", hang(), SHORT, "was silent for 0.3 s"),
    ("closed without an answer", Raw([]), PATIENT, "ended the connection before a complete answer in HTTP"),
    ("not HTTP", Raw([b"SSH-2.0-server\r\n\r\n"]), PATIENT, "ended the connection before a complete answer in HTTP"),
    (
        "an endless head",
        endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        PATIENT,
        "ended the connection before a complete answer in HTTP",
    ),
    ("one byte at a time", dribble(b"HTTP/1.1 200 OK" * 1000), HURRIED, "took longer than 0.4 s in all"),
    ("interim answers", Raw(iter(lambda: b"HTTP/1.1 102 x\r\n\r\n", None)), HURRIED, "took longer than 0.4 s in all"),
]


@pytest.mark.parametrize(("answer", "limits", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_no_answer(answer: Answer, limits: Limits, why: str) -> None:
    """A receiver without an answer may recover: the sink as a whole waits."""
    began = time.monotonic()
    error = refusal(answer, limits)
    assert (type(error), error.sink_wide) == (TransientDeliveryError, True)
    assert error.reply.startswith("no answer: localhost:")
    assert why in error.reply
    assert time.monotonic() - began < 25


def test_redirects_are_not_followed() -> None:
    """The body goes nowhere but to the configured URL, also on the same server."""
    with HttpServer(lambda _: Reply.redirect("/elsewhere", 308)) as server, pytest.raises(TransientDeliveryError):
        create({"url": server.url("/hook")}).send(MESSAGE)
    assert [request.path for request in server.requests] == ["/hook"]
