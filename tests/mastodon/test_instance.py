"""The version that the running server answers with."""

from collections.abc import Callable

import pytest

from domain.examples import cases
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.mastodon.instance import ask_running_version
from simulators.http_server import Answer, HttpServer, Reply, Request

DIRECT = Proxies()


def mastodon(version: object, path: str = "/api/v2/instance") -> Callable[[Request], Answer]:
    """Return a Mastodon server that knows one of the two paths, and itself by its name alone."""

    def answer(request: Request) -> Answer:
        if request.headers["host"] != "social.example":
            return Reply(403)
        if request.headers.get("x-forwarded-proto") != "https":
            return Reply.redirect(f"https://social.example{request.target}", 301)
        return Reply.json({"version": version}) if request.path == path else Reply(404)

    return answer


@pytest.mark.parametrize(
    ("ending", "version", "paths"),
    [
        ("/", "4.7.0+glitch", ["/api/v2/instance"]),
        ("", "3.5.19", ["/api/v2/instance", "/api/v1/instance"]),  # before 4.0 there is only the first version
    ],
)
def test_inner_address_is_asked_under_the_server_s_name(ending: str, version: str, paths: list[str]) -> None:
    """The request to an inner address names the server, and says that it came by https."""
    with HttpServer(mastodon(version, paths[-1])) as server:
        assert ask_running_version(server.url(ending), "social.example", DIRECT).text == version
    assert [request.target for request in server.requests] == paths


WITHOUT = "does not answer with a version: is it a Mastodon server?"
UNREADABLE = "answers with a version that cannot be read: "


@cases(
    "document fault",
    ("no version", {"title": "x"}, WITHOUT),
    ("a number", {"version": 4.7}, WITHOUT),
    ("a list", ["4.7.0"], WITHOUT),
    ("a word", {"version": "latest"}, UNREADABLE),
    ("nothing", {"version": ""}, UNREADABLE),
    ("a letter that is not seen", {"version": "4.7.0\u202e"}, UNREADABLE),
    ("digits without end", {"version": "4.7.0" + "0" * 300}, UNREADABLE),
)
def test_answer_without_a_readable_version(document: object, fault: str) -> None:
    """The error names the host."""
    with HttpServer(lambda _: Reply.json(document)) as server, pytest.raises(CheckError) as caught:
        ask_running_version(server.url(""), "social.example", DIRECT)
    assert caught.value.cause == Cause.VERSION
    assert caught.value.detail.startswith(f"127.0.0.1:{server.port} {fault}")


@pytest.mark.parametrize("status", [403, 404, 502])
def test_status_is_passed_on(status: int) -> None:
    """The error of a server that is down, or that requires a login, names the status."""
    with HttpServer(lambda _: Reply(status)) as server, pytest.raises(CheckError) as caught:
        ask_running_version(server.url(""), "social.example", DIRECT)
    expected = f"127.0.0.1:{server.port} answers with status {status}"
    assert (caught.value.cause, caught.value.detail) == (Cause.HTTP_STATUS, expected)


def limited(request: Request) -> Answer:
    """Answer as Mastodon 4.0 to 4.3 does with LIMITED_FEDERATION_MODE."""
    if request.path == "/nodeinfo/2.0":
        return Reply.json({"version": "2.0", "software": {"name": "mastodon", "version": "4.3.8"}})
    return Reply.json({"error": "This method requires an authenticated user"}, 401)


def test_limited_federation() -> None:
    """The API requires a login there; nodeinfo names the version publicly."""
    with HttpServer(limited) as server:
        assert ask_running_version(server.url(""), "bücher.example", DIRECT).text == "4.3.8"
    assert server.requests[0].headers["host"] == "xn--bcher-kva.example"
    assert [request.target for request in server.requests] == ["/api/v2/instance", "/nodeinfo/2.0"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Reply(401), "answers with status 401"),
        (Reply.json({"software": "mastodon"}), "does not answer with a version"),
        (Reply.json([]), "does not answer with a version"),
        (Reply(200, b"<html>"), "is not usable JSON"),
    ],
)
def test_limited_federation_without_nodeinfo(answer: Answer, words: str) -> None:
    """An error names the setting that closes the API."""
    with (
        HttpServer(lambda request: answer if "nodeinfo" in request.path else Reply(401)) as server,
        pytest.raises(CheckError) as caught,
    ):
        ask_running_version(server.url(""), "social.example", DIRECT)
    assert words in caught.value.detail
    assert "LIMITED_FEDERATION_MODE" in caught.value.detail


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_local_address_is_not_asked_through_a_proxy(host: str) -> None:
    """A proxy elsewhere cannot reach this host or network."""
    with HttpServer(mastodon("4.7.0")) as server, HttpServer(lambda _: Reply(503)) as proxy:
        proxies = Proxies(http=proxy.url(""))
        assert ask_running_version(server.url("", host=host), "social.example", proxies).text == "4.7.0"
    assert proxy.requests == []


def test_other_address_is_asked_through_the_proxy() -> None:
    """A name that this machine cannot resolve is left to the proxy."""
    with HttpServer(mastodon("4.7.0")) as proxy:
        proxies = Proxies(http=proxy.url(""))
        assert ask_running_version("http://social.invalid", "social.example", proxies).text == "4.7.0"
    assert [request.target for request in proxy.requests] == ["http://social.invalid/api/v2/instance"]
