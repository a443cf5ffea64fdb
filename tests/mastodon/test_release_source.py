"""The files of releases, fetched once each; no answer of the source stops a check."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

import pytest

from domain.examples import cases, version
from mastodon_update_check.domain.release_details import UpgradeStep, compare
from mastodon_update_check.domain.release_tree import FILES, TreeFacts
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.mastodon.release_details import CHANGELOG_BYTES, fetch_releases, name_tag
from simulators.http_server import Answer, HttpServer, Raw, Reply, dribble, hang, truncated
from simulators.release_source import TREE, ReleaseSource

OLD, NEW = version("4.5.19"), version("4.5.20")
FIRST = [f"4.5.20/{path}" for path in FILES]
LONG = timedelta(seconds=60)
NOTHING: Mapping[str, TreeFacts] = {}


@pytest.fixture
def source() -> Iterator[ReleaseSource]:
    """Have a source with two releases."""
    with ReleaseSource() as source:
        source.publish("4.5.19")
        source.publish("4.5.20", {"Gemfile.lock": "GEM\n"})
        yield source


class Fetched(NamedTuple):
    """What was fetched."""

    facts: Mapping[str, TreeFacts]
    problem: str


def fetch(source: ReleaseSource, known: Mapping[str, TreeFacts] = NOTHING, total: timedelta = LONG) -> Fetched:
    """Fetch both releases, the new one first."""
    return Fetched(*fetch_releases(source.template, [NEW, OLD], known, Proxies(), total))


def test_each_file_is_fetched_once(source: ReleaseSource) -> None:
    """The next check has all it needs, including what the tree lacks; facts of other releases are dropped."""
    first = fetch(source)
    assert (first.problem, len(source.asked)) == ("", 2 * len(FILES))
    assert first.facts["4.5.20"]["streaming/redis.js"] is None
    assert fetch(source, {**first.facts, "4.4.0": {"README.md": {}}}) == first
    assert len(source.asked) == 2 * len(FILES)
    details = compare(first.facts["4.5.20"], NEW, first.facts["4.5.19"], OLD)
    assert (details.needed, details.fixes) == ((UpgradeStep.BUNDLE_INSTALL,), ())


def test_a_tag_that_is_missing_is_asked_for_again(source: ReleaseSource) -> None:
    """Only its changelog, and other releases are fetched all the same."""
    found = Fetched(*fetch_releases(source.template, [version("4.7.6"), OLD], {}, Proxies()))
    assert found.problem.endswith("answers with status 404")
    assert [path for path in source.asked if path.startswith("4.7.6")] == ["4.7.6/CHANGELOG.md"]
    assert (found.facts["4.7.6"], len(found.facts["4.5.19"])) == ({}, len(FILES))
    source.publish("4.7.6")
    assert fetch_releases(source.template, [version("4.7.6"), OLD], found.facts, Proxies())[1] == ""


@cases(
    "answer problem",
    ("an error", Reply(500), "answers with status 500"),
    ("too many requests", Reply(429), "answers with status 429"),
    ("an empty file", Reply(200, b""), ""),
    ("a truncated file", truncated(Reply(200, b"GEM\n" * 99), 10), ""),
    ("not HTTP", Raw([b"not HTTP\r\n\r\n"]), ""),
    ("a redirect to a dead host", Reply.redirect("http://127.0.0.1:1/"), ""),
    ("a redirect to elsewhere", Reply.redirect("ftp://127.0.0.1/"), "redirects to what is not"),
)
def test_a_file_that_cannot_be_fetched_is_fetched_later(source: ReleaseSource, answer: Answer, problem: str) -> None:
    """It is unknown until then, and the files before it are kept."""
    source.instead["Gemfile.lock"] = answer
    found = fetch(source)
    assert problem in found.problem
    assert "README.md" in found.facts["4.5.20"]
    if answer == Reply(200, b""):
        return
    assert "Gemfile.lock" not in found.facts["4.5.20"]
    assert found.problem
    source.instead.clear()
    assert fetch(source, found.facts).facts["4.5.20"]["Gemfile.lock"]


@pytest.mark.parametrize(
    ("path", "size"), [("CHANGELOG.md", CHANGELOG_BYTES), ("yarn.lock", 1024 * 1024), ("README.md", 1024 * 1024)]
)
def test_a_file_that_is_too_large_is_unusable(source: ReleaseSource, path: str, size: int) -> None:
    """It is not fetched again, and everything else is known; a file of just that size will do."""
    source.instead[path] = Reply(200, b"x" * (size + 1))
    found = fetch(source)
    assert (found.problem, found.facts["4.5.20"][path]) == ("", False)
    source.instead[path] = Reply(200, b"x" * size)
    assert fetch(source).facts["4.5.20"][path] is not False


@pytest.mark.parametrize("answer", [hang(), dribble(b"HTTP/1.1 200 OK\r\n" * 99)], ids=["silent", "one byte at a time"])
def test_a_slow_source_ends_in_time(source: ReleaseSource, answer: Answer) -> None:
    """The limit is for everything together, and what was there before is kept."""
    source.instead["Gemfile.lock"] = answer
    began = time.monotonic()
    found = fetch(source, total=timedelta(seconds=0.7))
    assert time.monotonic() - began < 25
    assert found.problem
    assert "README.md" in found.facts["4.5.20"]


def test_a_dead_source_costs_one_attempt() -> None:
    """Other releases would not get any further."""
    found = Fetched(*fetch_releases("http://127.0.0.1:1/{version}", [NEW, OLD], {}, Proxies()))
    assert (found.facts, bool(found.problem)) == ({"4.5.20": {}, "4.5.19": {}}, True)


def test_through_a_proxy(source: ReleaseSource) -> None:
    """The program's proxies are used."""
    with HttpServer(lambda _: Reply(200, TREE["README.md"].encode())) as proxy:
        found = Fetched(*fetch_releases("http://mirror.invalid/{version}", [NEW], {}, Proxies(http=proxy.url())))
        assert proxy.requests[0].target == "http://mirror.invalid/4.5.20/CHANGELOG.md"
    assert found.facts["4.5.20"]["README.md"]
    assert source.asked == []


@pytest.mark.parametrize(
    ("template", "text", "tag"),
    [
        ("https://raw.githubusercontent.com/mastodon/mastodon/v{version}/", "4.5.9-kronk.1.7.0", "4.5.9"),
        ("https://raw.githubusercontent.com/mastodon/mastodon/v{version}/", "4.3.0-beta2+fork", "4.3.0-beta.2"),
        ("https://git.example/kronk/{version}/", "4.5.9-kronk.1.7.0", "4.5.9-kronk.1.7.0"),
        ("https://git.example/fork/{version}/", "v4.5.9+fork", "4.5.9"),
    ],
)
def test_tags(template: str, text: str, tag: str) -> None:
    """A fork's own source is asked for its own version, Mastodon's for the release that it stands on."""
    assert name_tag(template, version(text)) == tag


def test_a_version_cannot_lead_elsewhere() -> None:
    """Every version stays one part of the path."""
    with HttpServer(lambda _: Reply(404)) as server:
        fetch_releases(server.url("/x/{version}/"), [version("4.5.9-../../y?z#~ a")], {}, Proxies())
        assert server.requests[0].target == "/x/4.5.9-..%2F..%2Fy%3Fz%23~%20a/CHANGELOG.md"
