"""In which order releases are named, and which of their URLs become links."""

import pytest

from mastodon_update_check.messages.release_parts import may_link, name_updates, order_updates
from messages.writing import minor, patch


def test_order() -> None:
    """Urgent ones first, then the own branch, then branch by branch, in each the newest first."""
    texts = ("4.7.6", "4.5.20", "4.5.21", "4.6.8", "4.6.9")
    ordered = order_updates([*map(patch, texts), patch("4.7.5", urgent=True)], "4.5")
    assert [str(update.version) for update in ordered] == ["4.7.5", "4.5.21", "4.5.20", "4.6.9", "4.6.8", "4.7.6"]


def test_names() -> None:
    """A few are named, the rest counted."""
    updates = [patch("4.5.21"), patch("4.5.20", urgent=True), minor("4.6.9")]
    assert [name_updates(updates, limit) for limit in (1, 2, 3)] == [
        "4.5.21 and 2 more",
        "4.5.21, 4.5.20 (urgent) and 1 more",
        "4.5.21, 4.5.20 (urgent) and 4.6.9",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/mastodon/mastodon/releases/tag/v4.5.20",
        "http://GitHub.com/mastodon/mastodon/releases/tag/v4.5.20",
        "https://joinmastodon.org/notes",
        "https://blog.joinmastodon.org/notes",
        "https://updates.example/notes",
    ],
)
def test_urls_that_become_links(url: str) -> None:
    """Links go to Mastodon's repository and site, and to the update server's host."""
    assert may_link(url, "updates.example")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("", id="nothing"),
        pytest.param("https://github.com/evil/mastodon/releases", id="another repository"),
        pytest.param("https://github.com/mastodon/mastodon", id="without its slash"),
        pytest.param("https://github.com/mastodon/mastodon-evil/", id="a longer repository"),
        pytest.param("https://github.com/mastodon/mastodon/../../evil/x", id="a way out of it"),
        pytest.param("https://github.com/mastodon/mastodon/%2e%2e/%2e%2e/evil/x", id="an encoded way out of it"),
        pytest.param("https://evilgithub.com/x", id="a longer name"),
        pytest.param("https://github.com.evil.example/x", id="a name that begins alike"),
        pytest.param("https://evil.example/github.com/", id="the name in the path"),
        pytest.param("https://evil.example/?https://github.com/", id="the name in the query"),
        pytest.param("https://github.com@evil.example/", id="the name as a user"),
        pytest.param("https://x:y@github.com/", id="a user at the name"),
        pytest.param("https://evil.example\\@github.com/", id="a backslash"),
        pytest.param("https://evil.example#@github.com/", id="a fragment"),
        pytest.param("https://github.com%2eevil.example/", id="an encoded dot"),
        pytest.param("https://g\u0456thub.com/", id="a letter that only looks alike"),
        pytest.param("https://xn--gthub-n5e.com/", id="the same, encoded"),
        pytest.param("https://evil-joinmastodon.org/", id="a longer name of the other"),
        pytest.param("https://joinmastodon.org.evil.example/", id="the other's beginning"),
        pytest.param("https://raw.github.com/", id="another host of GitHub's: its pages are anybody's"),
        pytest.param("https://mastodon.github.io/", id="pages that anybody makes"),
        pytest.param("javascript://github.com/%0aalert(1)", id="a script"),
        pytest.param("ftp://github.com/x", id="another scheme"),
        pytest.param("//github.com/x", id="no scheme"),
        pytest.param("https://[::1", id="no URL at all"),
    ],
)
def test_urls_that_do_not_become_links(url: str) -> None:
    """Everything else is shown as text; an update server that is not known links nothing more."""
    assert not may_link(url, "updates.example")
    assert not may_link(url, "")
