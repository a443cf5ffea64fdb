"""The question to the update server, against a simulated one."""

from domain.examples import cases
from mastodon_update_check.domain.versions import MastodonVersion
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.mastodon.update_server import ask_update_server, with_version
from simulators.update_server import UpdateServer

INSTALLED = MastodonVersion.parse("4.6.1+glitch")
DIRECT = Proxies()


def test_answer_is_returned_whole() -> None:
    """The document comes back as the update server wrote it; only the version before the `+` is sent."""
    with UpdateServer() as server:
        server.publish("4.6.2", urgent=True, end_of_support="2027-02-20")
        server.set_current_end("2027-02-20")
        document, _ = ask_update_server(server.url, INSTALLED, DIRECT)
    entry = {
        "version": "4.6.2",
        "type": "patch",
        "releaseNotes": "https://github.com/mastodon/mastodon/releases/tag/v4.6.2",
        "urgent": True,
        "endOfSupport": "2027-02-20",
    }
    assert document == {"updatesAvailable": [entry], "currentVersion": {"endOfSupport": "2027-02-20"}}
    assert server.asked == ["4.6.1"]


@cases(
    "url version expected",
    ("https://u.example/check", "4.7.0", "https://u.example/check?version=4.7.0"),
    ("https://u.example/?a=1&b", "4.7.0", "https://u.example/?a=1&b&version=4.7.0"),
    ("https://u.example/?", "4.7.0", "https://u.example/?version=4.7.0"),
    ("https://u.example/#x?y", "4.7.0", "https://u.example/?version=4.7.0"),
    ("https://u.example", "4.7.0", "https://u.example?version=4.7.0"),
    ("https://u.example/", "3.5.10 06f906acac", "https://u.example/?version=3.5.10%2006f906acac"),
    ("https://u.example/", "4.1.25~moew", "https://u.example/?version=4.1.25~moew"),
    ("https://u.example/", "4.7.0-a&b=c#d/%", "https://u.example/?version=4.7.0-a%26b%3Dc%23d%2F%25"),
)
def test_version_is_added_to_the_query(url: str, version: str, expected: str) -> None:
    """The administrator's own query stays, and any version survives the way."""
    assert with_version(url, MastodonVersion.parse(version)) == expected
