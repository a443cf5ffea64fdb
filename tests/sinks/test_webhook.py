"""Webhooks: the request, the way to the receiver, and the options."""

import json
import ssl
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from mastodon_update_check import __version__
from mastodon_update_check.errors import DeliveryError, TransientDeliveryError
from mastodon_update_check.http.request import Limits
from mastodon_update_check.sinks.webhook import create
from simulators.http_server import Handler, HttpServer, Reply
from sinks.examples import ID, MESSAGE, PAYLOAD

LIMITS = Limits(
    connect=timedelta(seconds=10),
    read=timedelta(seconds=30),
    total=timedelta(seconds=60),
    redirects=0,
    body_bytes=1024,
)
OLD = "whsec_" + b64encode(b"o" * 32).decode()
NEW = "whsec_" + b64encode(b"n" * 32).decode()
NOON = 1_795_435_200.0  # 2026-11-23 12:00:00 UTC


def answer(reply: Reply) -> Handler:
    """Return a handler that always gives this answer."""
    return lambda _: reply


def refusal(handler: Handler, tls: ssl.SSLContext | None = None, **options: str) -> DeliveryError:
    """Return the error of one attempt at a server on localhost, which must fail."""
    with HttpServer(handler, tls=tls) as server:
        sink = create({"url": server.url("/hook", host="localhost"), **options}, LIMITS, lambda: NOON)
        with pytest.raises(DeliveryError) as caught:
            sink.send(MESSAGE)
    assert "/hook" not in str(caught.value)
    return caught.value


def test_request() -> None:
    """One POST with the specification's headers and the payload as compact JSON."""
    with HttpServer(answer(Reply(body=b"ok"))) as server:
        reply = create({"url": server.url("/hook?token=1")}, clock=lambda: NOON).send(MESSAGE)

    [request] = server.requests
    assert (request.method, request.target) == ("POST", "/hook?token=1")
    assert request.body == json.dumps(PAYLOAD, separators=(",", ":")).encode()
    assert request.headers == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "*/*",
        "accept-encoding": "identity",
        "content-length": str(len(request.body)),
        "content-type": "application/json",
        "user-agent": f"mastodon-update-check/{__version__}",
        "webhook-id": ID,
        "webhook-timestamp": str(int(NOON)),
    }
    assert reply == "200 OK ok"


@pytest.mark.parametrize("secrets", [[NEW], [NEW, OLD]])
def test_signature(secrets: list[str]) -> None:
    """The specification's own library accepts the request with each of the secrets, and rejects any change."""
    message = replace(MESSAGE, payload={"data": {"name": "grüße"}})
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url(), "secret": "  ".join(secrets)}).send(message)

    [request] = server.requests
    assert request.body == '{"data":{"name":"grüße"}}'.encode()
    for secret in secrets:
        assert Webhook(secret).verify(request.body, dict(request.headers)) == message.payload
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body + b" ", dict(request.headers))
    assert request.headers["webhook-signature"].count("v1,") == len(secrets)


def test_attempts() -> None:
    """A later attempt carries the same id and the same bytes, and a time and signature of its own."""
    times = iter([NOON, NOON + 600])
    with HttpServer(answer(Reply(204))) as server:
        sink = create({"url": server.url(), "secret": NEW}, clock=lambda: next(times))
        sink.send(MESSAGE)
        sink.send(MESSAGE)

    first, second = server.requests
    assert first.body == second.body
    assert [first.headers["webhook-id"], second.headers["webhook-id"]] == [ID, ID]
    assert [request.headers["webhook-timestamp"] for request in server.requests] == ["1795435200", "1795435800"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize(("names", "expected"), [("true", ["alice", "bob"]), ("false", None), ("", None)])
def test_names(names: str, expected: list[str] | None) -> None:
    """The DevOps users' names are in the payload only where they are wanted."""
    with HttpServer(answer(Reply(204))) as server:
        create({"url": server.url(), "names": names}).send(MESSAGE)

    body = json.loads(server.requests[0].body)
    assert body["data"].get("devops_users") == expected
    assert {key: value for key, value in body["data"].items() if key != "devops_users"} == PAYLOAD["data"]


@pytest.mark.usefixtures("trusted_authority")
def test_wrong_name(foreign_tls: ssl.SSLContext) -> None:
    """A certificate for another host is refused, and nothing is sent."""
    error = refusal(answer(Reply(204)), tls=foreign_tls)

    assert str(error).endswith("certificate is not valid for 'localhost'")
    assert (type(error), error.sink_wide) == (TransientDeliveryError, True)


def test_http_proxy() -> None:
    """A plain URL goes to the proxy whole, with the proxy's login; its address may lack the scheme."""
    with HttpServer(answer(Reply(204))) as proxy:
        options = {"url": "http://hook.example/path", "http_proxy": f"user:pw@127.0.0.1:{proxy.port}"}
        create(options).send(MESSAGE)

    [request] = proxy.requests
    assert request.target == "http://hook.example/path"
    assert request.headers["proxy-authorization"] == "Basic " + b64encode(b"user:pw").decode()
