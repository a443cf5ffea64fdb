"""In which order releases are named, and which of their URLs become links."""

import pytest

from domain.examples import cases
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


@cases(
    "url",
    ("another repository", "https://github.com/evil/mastodon/releases"),
    ("without its slash", "https://github.com/mastodon/mastodon"),
    ("a longer repository", "https://github.com/mastodon/mastodon-evil/"),
    ("a way out of it", "https://github.com/mastodon/mastodon/../../evil/x"),
    ("an encoded way out of it", "https://github.com/mastodon/mastodon/%2e%2e/%2e%2e/evil/x"),
    ("a longer name", "https://evilgithub.com/x"),
    ("a name that begins alike", "https://github.com.evil.example/x"),
    ("the name in the path", "https://evil.example/github.com/"),
    ("the name in the query", "https://evil.example/?https://github.com/"),
    ("the name as a user", "https://github.com@evil.example/"),
    ("a backslash", "https://evil.example\\@github.com/"),
    ("a fragment", "https://evil.example#@github.com/"),
    ("an encoded dot", "https://github.com%2eevil.example/"),
    ("a letter that only looks alike", "https://g\u0456thub.com/"),
    ("the same, encoded", "https://xn--gthub-n5e.com/"),
    ("a longer name of the other", "https://evil-joinmastodon.org/"),
    ("the other's beginning", "https://joinmastodon.org.evil.example/"),
    ("another host of GitHub's: its pages are those of any user", "https://raw.github.com/"),
    ("pages that any user makes", "https://mastodon.github.io/"),
)
def test_urls_that_do_not_become_links(url: str) -> None:
    """Everything else is shown as text; an update server that is not known links nothing more."""
    assert not may_link(url, "updates.example")
    assert not may_link(url, "")
