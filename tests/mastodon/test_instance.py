"""The version that the running server answers with."""

import ssl
from collections.abc import Callable

import pytest
import trustme

from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.errors import Cause, CheckError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.mastodon.instance import ask_running_version
from simulators.http_server import Answer, HttpServer, Reply, Request, unused_port

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


@pytest.mark.parametrize("ending", ["", "/"])
def test_inner_address_is_asked_under_the_server_s_name(ending: str) -> None:
    """The request to an inner address names the server, and says that it came by https."""
    with HttpServer(mastodon("4.7.0+glitch")) as server:
        version = ask_running_version(server.url(ending), "social.example", DIRECT)
    assert (version, version.text) == (MastodonVersion.parse("4.7.0"), "4.7.0+glitch")
    assert [request.target for request in server.requests] == ["/api/v2/instance"]


def test_mastodon_before_4_0() -> None:
    """Mastodon 3.5 has only the first version of the question."""
    with HttpServer(mastodon("3.5.19", "/api/v1/instance")) as server:
        assert ask_running_version(server.url(""), "social.example", DIRECT).text == "3.5.19"
    assert [request.target for request in server.requests] == ["/api/v2/instance", "/api/v1/instance"]


def test_international_domain_is_encoded() -> None:
    """HTTP knows names in ASCII only."""
    with HttpServer(lambda _: Reply.json({"version": "4.7.0"})) as server:
        ask_running_version(server.url(""), "bücher.example", DIRECT)
    assert server.requests[0].headers["host"] == "xn--bcher-kva.example"


@pytest.mark.usefixtures("trusted_authority")
def test_tls_goes_by_the_url_s_host(authority: trustme.CA) -> None:
    """The name in the handshake, and in the certificate, is the one that the URL has, not the `Host` header's."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with HttpServer(mastodon("4.7.0"), tls=context) as server:
        assert ask_running_version(server.url("", host="localhost"), "social.example", DIRECT).text == "4.7.0"
    assert names == ["localhost"]


NO_VERSIONS = [
    ("no version", {"title": "x"}),
    ("a number", {"version": 4.7}),
    ("null", {"version": None}),
    ("a list", ["4.7.0"]),
    ("a text", "4.7.0"),
]


@pytest.mark.parametrize("document", [row[1] for row in NO_VERSIONS], ids=[row[0] for row in NO_VERSIONS])
def test_answer_without_a_version(document: object) -> None:
    """Something else answers there: that is said, with the host."""
    with HttpServer(lambda _: Reply.json(document)) as server, pytest.raises(CheckError) as caught:
        ask_running_version(server.url(""), "social.example", DIRECT)
    expected = f"127.0.0.1:{server.port} does not answer with a version: is it a Mastodon server?"
    assert (caught.value.cause, caught.value.detail) == (Cause.VERSION, expected)


@pytest.mark.parametrize("version", ["latest", "", "4.7.0\u202e", "4.7.0" + "0" * 300])
def test_version_that_cannot_be_read(version: str) -> None:
    """A version that cannot be ordered is refused."""
    with HttpServer(mastodon(version)) as server, pytest.raises(CheckError) as caught:
        ask_running_version(server.url(""), "social.example", DIRECT)
    assert caught.value.cause == Cause.VERSION
    assert caught.value.detail.startswith(f"127.0.0.1:{server.port} answers with a version that cannot be read: ")


@pytest.mark.parametrize("status", [403, 404, 502])
def test_status_is_passed_on(status: int) -> None:
    """The error of a server that is down, or that requires a login, names the status."""
    with HttpServer(lambda _: Reply(status)) as server, pytest.raises(CheckError) as caught:
        ask_running_version(server.url(""), "social.example", DIRECT)
    expected = f"127.0.0.1:{server.port} answers with status {status}"
    assert (caught.value.cause, caught.value.detail) == (Cause.HTTP_STATUS, expected)


def test_server_that_is_down() -> None:
    """The network's own causes are passed on as they are."""
    with pytest.raises(CheckError) as caught:
        ask_running_version(f"http://127.0.0.1:{unused_port()}", "social.example", DIRECT)
    assert caught.value.cause == Cause.CONNECTION


def test_settings_that_are_not_an_address() -> None:
    """A typing error is reported without the password beside it."""
    with pytest.raises(CheckError, match="is not an http or https URL") as caught:
        ask_running_version("http://ann:secret@a:b", "social.example", DIRECT)
    assert "secret" not in caught.value.detail


def limited(request: Request) -> Answer:
    """Answer as Mastodon 4.0 to 4.3 does with LIMITED_FEDERATION_MODE."""
    if request.path == "/nodeinfo/2.0":
        return Reply.json({"version": "2.0", "software": {"name": "mastodon", "version": "4.3.8"}})
    return Reply.json({"error": "This method requires an authenticated user"}, 401)


def test_limited_federation() -> None:
    """The API requires a login there; nodeinfo names the version publicly."""
    with HttpServer(limited) as server:
        assert ask_running_version(server.url(""), "social.example", DIRECT).text == "4.3.8"
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
