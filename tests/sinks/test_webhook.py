"""Webhooks: what is posted, what each answer means, and what never shows."""

import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from mastodon_update_check import __version__
from mastodon_update_check.errors import (
    ClaimLostError,
    DeliveryError,
    PermanentDeliveryError,
    SettingsError,
    TransientDeliveryError,
)
from mastodon_update_check.sinks.webhook import Bounds, create
from simulators.http_server import (
    Handler,
    HttpServer,
    Raw,
    Reply,
    Tunnel,
    dribble,
    endless,
    hang,
    truncated,
    unused_port,
)
from simulators.smtp_server import ScriptedSmtpServer
from sinks.examples import ID, MESSAGE, PAYLOAD, lose_claim

SHORT = Bounds(connect=0.3, read=0.3, total=timedelta(seconds=5))
OLD = "whsec_" + b64encode(b"o" * 32).decode()
NEW = "whsec_" + b64encode(b"n" * 32).decode()
NOON = 1_795_435_200.0  # 2026-11-23 12:00:00 UTC


def answer(reply: Reply) -> Handler:
    """Return a handler that always gives this answer."""
    return lambda _: reply


def refusal(
    handler: Handler, path: str = "/hook", bounds: Bounds = SHORT, tls: ssl.SSLContext | None = None, **options: str
) -> DeliveryError:
    """Return the error of one attempt at a server on localhost, which must fail."""
    with HttpServer(handler, tls=tls) as server:
        sink = create({"url": server.url(path, host="localhost"), **options}, bounds, lambda: NOON)
        with pytest.raises(DeliveryError) as caught:
            sink.send(MESSAGE)
    assert str(server.port) not in str(caught.value)
    return caught.value


def test_request() -> None:
    """One POST with the specification's headers and the payload as compact JSON."""
    with HttpServer(answer(Reply(body=b"ok"))) as server:
        reply = create({"url": server.url("/hook?token=1")}, clock=lambda: NOON).send(MESSAGE)

    [request] = server.requests
    assert ("POST", "/hook?token=1") == (request.method, request.target)
    assert json.dumps(PAYLOAD, separators=(",", ":")).encode() == request.body
    assert {
        "host": f"127.0.0.1:{server.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "connection": "keep-alive",
        "content-length": str(len(request.body)),
        "content-type": "application/json",
        "user-agent": f"mastodon-update-check/{__version__}",
        "webhook-id": ID,
        "webhook-timestamp": str(int(NOON)),
    } == request.headers
    assert "200 OK ok" == reply


def test_signature() -> None:
    """The specification's own library accepts what is sent, and nothing that was tampered with."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url(), "secret": NEW}).send(MESSAGE)

    [request] = server.requests
    assert PAYLOAD == Webhook(NEW).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(request.body, dict(request.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(request.body + b" ", dict(request.headers))


def test_rotation() -> None:
    """With two secrets there are two signatures: whoever knows either accepts."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url(), "secret": f"{NEW}  {OLD}"}).send(MESSAGE)

    [request] = server.requests
    for secret in (OLD, NEW):
        assert PAYLOAD == Webhook(secret).verify(request.body, dict(request.headers))


def test_attempts() -> None:
    """A later attempt carries the same id and the same bytes, and a time and signature of its own."""
    times = iter([NOON, NOON + 600])
    with HttpServer(answer(Reply(204))) as server:
        sink = create({"url": server.url(), "secret": NEW}, clock=lambda: next(times))
        sink.send(MESSAGE)
        sink.send(MESSAGE)

    first, second = server.requests
    assert first.body == second.body
    assert [ID, ID] == [first.headers["webhook-id"], second.headers["webhook-id"]]
    assert ["1795435200", "1795435800"] == [request.headers["webhook-timestamp"] for request in server.requests]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(("names", "expected"), [("true", ["alice", "bob"]), ("false", None), ("", None)])
def test_names(names: str, expected: list[str] | None) -> None:
    """The DevOps users' names are in the payload only where they are wanted."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url(), "names": names}).send(MESSAGE)

    body = json.loads(server.requests[0].body)
    assert expected == body["data"].get("devops_users")
    assert PAYLOAD["data"] == {key: value for key, value in body["data"].items() if key != "devops_users"}


def test_text_is_utf8() -> None:
    """Text goes out as UTF-8, not as escapes."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url()}).send(replace(MESSAGE, payload={"data": {"name": "grüße"}}))

    assert '{"data":{"name":"grüße"}}'.encode() == server.requests[0].body


PERMANENT = (PermanentDeliveryError, False)
TRANSIENT = (TransientDeliveryError, True)
STATUSES: Mapping[int, tuple[type, bool]] = {
    **dict.fromkeys((400, 402, 405, 406, 409, 411, 413, 415, 418, 422, 426, 451, 499), PERMANENT),
    410: (PermanentDeliveryError, True),
    **dict.fromkeys((401, 403, 404, 408, 425, 429), TRANSIENT),
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308), TRANSIENT),
    **dict.fromkeys((500, 501, 502, 503, 504, 507, 529, 599, 600, 999), TRANSIENT),
}
RETRY_AFTER = [
    pytest.param(None, None, id="nothing asked"),
    pytest.param("0", timedelta(), id="no wait"),
    pytest.param("120", timedelta(minutes=2), id="seconds"),
    pytest.param(" 120 ", timedelta(minutes=2), id="seconds, with blanks"),
    pytest.param("86400", timedelta(hours=24), id="a day"),
    pytest.param("86401", timedelta(hours=24), id="more than a day is cut"),
    pytest.param("999999999", timedelta(hours=24), id="an age is cut"),
    pytest.param("Mon, 23 Nov 2026 12:05:00 GMT", timedelta(minutes=5), id="a date"),
    pytest.param("Monday, 23-Nov-26 12:05:00 GMT", timedelta(minutes=5), id="a date in the form of RFC 850"),
    pytest.param("Mon Nov 23 12:05:00 2026", timedelta(minutes=5), id="a date in the form of asctime"),
    pytest.param("Mon, 23 Nov 2026 13:05:00 +0100", timedelta(minutes=5), id="a date with an offset"),
    pytest.param("Sun, 22 Nov 2026 12:00:00 GMT", timedelta(), id="a date that has passed"),
    pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(hours=24), id="a date far ahead is cut"),
    pytest.param("-5", None, id="nonsense: negative"),
    pytest.param("1.5", None, id="nonsense: a fraction"),
    pytest.param("soon", None, id="nonsense: a word"),
    pytest.param("", None, id="nonsense: empty"),
    pytest.param("9" * 5000, None, id="nonsense: no time at all"),
    pytest.param("Mon, 99 Nov 2026 12:05:00 GMT", None, id="nonsense: no such day"),
]


@pytest.mark.parametrize(("header", "wait"), RETRY_AFTER)
@pytest.mark.parametrize("status", [302, 404, 429, 500, 503])
def test_retry_after(status: int, header: str | None, wait: timedelta | None) -> None:
    """What a transient answer asks for is passed on, within 24 h; nonsense is ignored."""
    error = refusal(answer(Reply(status, headers={} if header is None else {"Retry-After": header})))

    assert isinstance(error, TransientDeliveryError)
    assert wait == error.retry_after


@pytest.mark.parametrize("status", STATUSES)
def test_status(status: int) -> None:
    """What each status means."""
    error = refusal(answer(Reply(status, b"some words")))

    assert STATUSES[status] == (type(error), error.sink_wide)
    assert f"http://localhost answered {status} " in str(error)
    assert ("some words" in str(error)) == (status != 304)  # the one that never has a body


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int) -> None:
    """Every 2xx is success."""
    with HttpServer(answer(Reply(status))) as server:
        assert create({"url": server.url()}).send(MESSAGE).startswith(str(status))


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://elsewhere.example/secret", "elsewhere.example"),
        ("http://bücher.example:8080/secret", "bücher.example"),
        ("//elsewhere.example/secret", "elsewhere.example"),
        ("/another/secret", "127.0.0.1"),
    ],
)
def test_redirection(location: str, host: str) -> None:
    """Redirections are not followed, and only the host they lead to is named."""
    with HttpServer(answer(Reply.redirect(location, 307))) as server, pytest.raises(TransientDeliveryError) as caught:
        create({"url": server.url()}).send(MESSAGE)

    assert 1 == len(server.requests)
    assert (
        "http://127.0.0.1 answered 307 Temporary Redirect "
        f"(redirections are not followed; this one leads to {host})" == str(caught.value)
    )
    assert caught.value.sink_wide


def test_redirection_to_nowhere() -> None:
    """A redirection that names no address is an answer that makes no sense."""
    error = refusal(answer(Reply.redirect("http://[::bad/secret")))

    assert "no answer from http://localhost: Invalid URL in location header: Invalid port: ':bad'." == str(error)
    assert error.sink_wide


def test_same_server_is_not_followed_either() -> None:
    """A redirection on the same server is not followed: the body would go where nobody sent it."""
    with HttpServer(answer(Reply.redirect("/elsewhere"))) as server, pytest.raises(TransientDeliveryError):
        create({"url": server.url("/hook")}).send(MESSAGE)

    assert ["/hook"] == [request.path for request in server.requests]


@pytest.mark.parametrize(
    "body",
    [
        b"Cannot POST /services/T0001/B0001/XXXXXXXXXXXXXXXXXXXXXXXX?token=hunter2hunter2hunter2",
        b"no such hook: XXXXXXXXXXXXXXXXXXXXXXXX",
        b"bad token hunter2hunter2hunter2",
        b"token=hunter2hunter2hunter2",
        b"hello user, your password swordfish%21 is swordfish!",
        b"your secret is " + NEW.encode(),
    ],
)
def test_secrets_never_show(body: bytes) -> None:
    """Of the URL only scheme and host show, also when the server repeats the rest, and no secret at all."""
    with HttpServer(answer(Reply(404, body))) as server:
        url = f"http://user:swordfish%21@localhost:{server.port}/services/T0001/B0001/XXXXXXXXXXXXXXXXXXXXXXXX"
        sink = create({"url": f"{url}?token=hunter2hunter2hunter2", "secret": NEW})
        with pytest.raises(TransientDeliveryError) as caught:
            sink.send(MESSAGE)

    assert str(caught.value).startswith("http://localhost answered 404 Not Found ")
    for secret in ("T0001", "XXXXXXXX", "hunter2", "swordfish", NEW[10:]):
        assert secret not in str(caught.value)
        assert secret not in repr(sink._target)


@pytest.mark.parametrize(("written", "meant"), [("us%40er:p%3Aw", b"us@er:p:w"), (":token", b":token")])
def test_user_in_the_url(written: str, meant: bytes) -> None:
    """A user and password in the URL, or one of them, become basic authentication."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": f"http://{written}@localhost:{server.port}/hook#part"}).send(MESSAGE)

    [request] = server.requests
    assert "Basic " + b64encode(meant).decode() == request.headers["authorization"]
    assert "/hook" == request.target
    assert f"localhost:{server.port}" == request.headers["host"]


def test_control_characters() -> None:
    """The answer is shown on one line, cut, without control characters."""
    error = refusal(answer(Reply(500, b"first\r\n\x1b[31msecond " + b"x" * 5000)))

    assert str(error).startswith("http://localhost answered 500 Internal Server Error first [31msecond xxx")
    assert len(str(error)) < 260


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536), id="an endless body"),
        pytest.param(truncated(Reply(body=b"x" * 100), 50), id="a body that breaks off"),
        pytest.param(Reply(body=b"\x1f\x8b???", headers={"Content-Encoding": "gzip"}), id="an encoded body"),
        pytest.param(Raw([b"HTTP/1.1 204 No Content\r\n\r\n"]), id="no body at all"),
        pytest.param(Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 3600.0]), id="a body that never comes"),
    ],
)
def test_status_decides(reply: Raw | Reply) -> None:
    """Once the status has been read, nothing that is wrong with the body makes a difference."""
    with HttpServer(lambda _: reply) as server:
        assert (create({"url": server.url()}, SHORT).send(MESSAGE)).startswith("20")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        pytest.param(hang(), "it took too long", id="no answer"),
        pytest.param(Raw([]), "Server disconnected without sending a response.", id="closed without an answer"),
        pytest.param(Raw([b"SSH-2.0-server\r\n\r\n"]), "illegal status line", id="not HTTP"),
        pytest.param(endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), "", id="an endless head"),
        pytest.param(dribble(b"HTTP/1.1 200 OK" * 1000), "not done within 0.4 s in all", id="one byte at a time"),
    ],
)
def test_no_answer(reply: Raw, why: str) -> None:
    """A receiver without an answer may recover: the sink as a whole waits."""
    bounds = replace(SHORT, total=timedelta(seconds=0.4)) if "0.4" in why else SHORT
    error = refusal(lambda _: reply, bounds=bounds)

    assert (TransientDeliveryError, True) == (type(error), error.sink_wide)
    assert str(error).startswith("no answer from http://localhost: ")
    assert why in str(error)


def test_nothing_listens() -> None:
    """A refused connection says so."""
    with pytest.raises(TransientDeliveryError) as caught:
        create({"url": f"http://localhost:{unused_port()}/secret"}).send(MESSAGE)

    assert "no answer from http://localhost: Connection refused" == str(caught.value)
    assert caught.value.sink_wide


def test_no_such_host() -> None:
    """A name that does not resolve is named."""
    with pytest.raises(TransientDeliveryError, match=r"https://hook\.invalid: its name cannot be resolved"):
        create({"url": "https://hook.invalid/secret"}).send(MESSAGE)


@pytest.mark.parametrize("host", ["x" * 64 + ".example", "xn--zz--.example", "a..example"])
def test_impossible_host(host: str) -> None:
    """A name that cannot be asked for is the sink's trouble, not a crash."""
    with pytest.raises(TransientDeliveryError) as caught:
        create({"url": f"http://{host}/secret"}, SHORT).send(MESSAGE)

    assert caught.value.sink_wide


@pytest.mark.usefixtures("trusted_authority")
def test_https(server_tls: ssl.SSLContext) -> None:
    """The system's certificates are trusted."""
    with HttpServer(answer(Reply(204)), tls=server_tls) as server:
        create({"url": server.url(host="localhost")}).send(MESSAGE)

    assert 1 == len(server.requests)


@pytest.mark.usefixtures("trusted_authority")
def test_wrong_name(foreign_tls: ssl.SSLContext) -> None:
    """A certificate for another host is refused, and nothing is sent."""
    error = refusal(answer(Reply(204)), tls=foreign_tls)

    assert "its certificate is refused: Hostname mismatch" in str(error)
    assert (TransientDeliveryError, True) == (type(error), error.sink_wide)


def test_unknown_authority(server_tls: ssl.SSLContext) -> None:
    """A certificate of an authority that the system does not know is refused."""
    error = refusal(answer(Reply(204)), tls=server_tls)

    assert "its certificate is refused: unable to get local issuer certificate" in str(error)


@pytest.mark.usefixtures("trusted_authority")
def test_no_tls() -> None:
    """A server that does not speak TLS is told apart from one whose certificate is bad."""
    with ScriptedSmtpServer() as server, pytest.raises(TransientDeliveryError, match="TLS failed: "):
        create({"url": f"https://localhost:{server.port}/"}, SHORT).send(MESSAGE)


def test_http_proxy() -> None:
    """A plain URL goes to the proxy whole, with the proxy's log-in; its address may lack the scheme."""
    with HttpServer(answer(Reply(204))) as proxy:
        options = {"url": "http://hook.example/path", "http_proxy": f"user:pw@127.0.0.1:{proxy.port}"}
        create(options).send(MESSAGE)

    [request] = proxy.requests
    assert "http://hook.example/path" == request.target
    assert "Basic " + b64encode(b"user:pw").decode() == request.headers["proxy-authorization"]


@pytest.mark.usefixtures("trusted_authority")
def test_https_proxy(server_tls: ssl.SSLContext) -> None:
    """An https URL goes through a tunnel; the proxy sees host and port, and the certificate is the host's."""
    with (
        HttpServer(answer(Reply(204)), tls=server_tls) as server,
        HttpServer(lambda _: Tunnel(server.port)) as proxy,
    ):
        create({"url": server.url("/path", host="localhost"), "https_proxy": proxy.url()}).send(MESSAGE)

    assert [("CONNECT", f"localhost:{server.port}")] == [(request.method, request.target) for request in proxy.requests]
    assert ["/path"] == [request.target for request in server.requests]


@pytest.mark.usefixtures("trusted_authority")
def test_proxy_with_tls(server_tls: ssl.SSLContext) -> None:
    """A proxy that is itself reached by https is checked like any other server."""
    with HttpServer(answer(Reply(204)), tls=server_tls) as proxy:
        create({"url": "http://hook.example/", "http_proxy": proxy.url(host="localhost")}).send(MESSAGE)

    assert ["http://hook.example/"] == [request.target for request in proxy.requests]


def test_no_proxy() -> None:
    """What no_proxy names is reached directly."""
    with HttpServer(answer(Reply(204))) as server:
        options = {"http_proxy": f"http://127.0.0.1:{unused_port()}", "no_proxy": "example.net,localhost"}
        create({"url": server.url(host="localhost"), **options}).send(MESSAGE)

    assert ["/"] == [request.target for request in server.requests]


@pytest.mark.usefixtures("trusted_authority")
def test_proxy_refuses() -> None:
    """A proxy's refusal is told apart from the receiver's, and shows no log-in."""
    with HttpServer(answer(Reply(407))) as proxy:
        options = {"url": "https://hook.example/secret", "https_proxy": f"http://user:pw@127.0.0.1:{proxy.port}"}
        with pytest.raises(TransientDeliveryError) as caught:
            create(options).send(MESSAGE)

    assert "no answer from https://hook.example: the proxy refuses: 407 Proxy Authentication Required" == str(
        caught.value
    )


def test_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the options count: not the environment's proxy, not a .netrc."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url()}).send(MESSAGE)

    assert "authorization" not in server.requests[0].headers


def test_lost_claim() -> None:
    """The claim is asked for once connected, before the first byte; without it nothing is sent."""
    with HttpServer(answer(Reply(204))) as server, pytest.raises(ClaimLostError):
        create({"url": server.url()}).send(replace(MESSAGE, confirm_claim=lose_claim))

    assert [] == server.requests


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"url": ""},
        {"url": "ftp://x.example/s3cret"},
        {"url": "https:///s3cret"},
        {"url": "https://x.example:s3cret/"},
        {"url": "https://[s3cret"},
        {"url": "https://x.example/", "secret": "whsec_s3cret"},
        {"url": "https://x.example/", "secret": f"{OLD} whsec_"},
        {"url": "https://x.example/", "https_proxy": "socks5://s3cret@proxy.example:1080"},
    ],
)
def test_unusable_options(options: dict[str, str]) -> None:
    """Options that cannot be used are errors of the settings; what they hold is not shown."""
    with pytest.raises(SettingsError) as caught:
        create(options)

    assert "s3cret" not in str(caught.value)
    assert "webhook" in str(caught.value)


def test_no_certificates_for_http(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A plain URL does not need the system's certificates, readable or not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with HttpServer(answer(Reply(204))) as server:
        assert "204 No Content" == create({"url": server.url()}).send(MESSAGE)
