"""The status page as a real Chromium shows it: phone and desktop, light and dark, hostile, out of date."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from browser.chromium import Chromium, Page, bring_chromium
from browser.reports import BUSY, FULL_OF_HOSTILITY, HALF_AN_HOUR, HOSTILE, NOW, QUIET, render
from mastodon_update_check.monitoring.status import StatusReport

STALE = "document.querySelector('.stale')?.checkVisibility({visibilityProperty: true})"
NOT_STALE = f"({STALE} === false)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Return a browser for the tests of this file."""
    with Chromium(bring_chromium(), tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Serve `tmp_path` on loopback; return its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


def is_stale(page: Page) -> bool:
    """Whether a person sees that the page is out of date."""
    return bool(page.evaluate(STALE))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1000])
@pytest.mark.parametrize("report", [QUIET, BUSY], ids=["quiet", "busy"])
def test_page(browser: Chromium, site: str, tmp_path: Path, report: StatusReport, width: int, scheme: str) -> None:
    """The page fits its window, is in the wanted scheme and legible, and asks for nothing but itself."""
    (tmp_path / "index.html").write_text(render(report))
    page = browser.open(site, width=width, scheme=scheme)

    assert page.problems == []
    assert page.requests == [site]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "22.4px"  # the style is used
    ground, text = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    is_dark = _lightness(ground) < _lightness(text)
    assert is_dark == (scheme == "dark")
    assert page.evaluate("document.querySelectorAll('svg rect').length") == 30
    assert not is_stale(page)
    shown = page.evaluate("document.body.innerText")
    expected = ["social.example", "2026-11-28 10:12 UTC", "4.5 until 1 June 2027"]
    if report is BUSY:
        expected += [
            "Install 4.5.20, it is urgent.",
            "4.5.19 → 4.5.20 → 4.6.3",
            "GHSA-abcd-efgh-ijkl",
            "these and 6 more",
        ]
        expected += [
            "Requires Ruby 3.3",
            "To upgrade: bundle install and migrations;",
            "1 deferred, 1 refused",
            "greylisted",
            "failing since",
            "does not answer",
        ]
    assert [each for each in expected if each not in shown] == []


def _lightness(colour: str) -> int:
    return sum(int(number) for number in re.findall(r"\d+", colour)[:3])


def test_hostile_texts_are_inert(browser: Chromium, site: str, tmp_path: Path) -> None:
    """Nothing from outside becomes markup, script, a request, or a link to anywhere but known hosts."""
    (tmp_path / "index.html").write_text(render(FULL_OF_HOSTILITY))
    page = browser.open(site, width=390)

    assert page.problems == []
    assert page.requests == [site]
    assert "owned" not in page.evaluate("document.title").replace(HOSTILE, "")
    assert page.evaluate("document.querySelectorAll('script, main img, iframe, [onerror]').length") == 0
    hosts = page.evaluate("[...document.querySelectorAll('a')].map(link => link.host)")
    assert set(hosts) <= {site.split("/")[2], "github.com"}
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_content_security_policy(browser: Chromium, site: str, tmp_path: Path) -> None:
    """Were something to slip through, the policy stops it: no script, no foreign style, no picture."""
    evil = "<script>document.title='owned'</script><style>h1{color:red}</style><img src='/x.png'>"
    (tmp_path / "index.html").write_text(render(QUIET).replace("<main", f"{evil}<main"))
    page = browser.open(site)

    assert page.evaluate("document.title") == "Nothing to do: social.example"
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(255, 0, 0)"
    assert len(page.problems) == 3  # each was reported


def test_page_that_is_not_replaced_looks_stale(browser: Chromium, site: str, tmp_path: Path) -> None:
    """An open page looks stale when its time is over, also after reloads; a new page in its place does not."""
    (tmp_path / "index.html").write_text(render(QUIET, interval=timedelta(seconds=1)))
    page = browser.open(site)
    assert not is_stale(page)
    page.call("Animation.enable")
    page.call("Animation.setPlaybackRate", playbackRate=1000)
    page.wait_for(STALE)

    reloaded = browser.open(f"{site}index.html#{page.evaluate('document.body.id')}")
    assert is_stale(reloaded)
    (tmp_path / "index.html").write_text(render(QUIET, now=NOW + HALF_AN_HOUR))
    reloaded.call("Page.reload", ignoreCache=True)
    reloaded.wait_for("document.querySelector('time').innerText === '2026-11-28 10:42 UTC'")
    assert not is_stale(reloaded)


def test_page_reloads_itself(browser: Chromium, site: str, tmp_path: Path) -> None:
    """An open window loads each new page, also after the page was out of date."""

    def write(minute: int) -> str:
        for name, other in (("index.html", "index-reload.html"), ("index-reload.html", "index.html")):
            page = render(QUIET, now=NOW + timedelta(minutes=minute), reload_name=other)
            fast = re.sub(r'http-equiv="refresh" content="\d+', 'http-equiv="refresh" content="1', page)
            (tmp_path / name).write_text(fast)
        return f"document.querySelector('time')?.innerText === '2026-11-28 10:{12 + minute} UTC'"

    write(0)
    page = browser.open(site)
    page.wait_for(f"location.hash && {STALE}")
    time.sleep(3.5)  # it reloads several times
    assert is_stale(page)
    for minute in (1, 2):
        page.wait_for(f"{write(minute)} && {NOT_STALE}")


def test_page_is_whole_when_its_writer_is_killed(tmp_path: Path) -> None:
    """A reader sees a whole page at any moment, while its writer is killed again and again."""
    target = tmp_path / "index.html"
    code = """
import sys, pathlib
from mastodon_update_check.files import replace_file
number = 0
while True:
    number += 1
    replace_file(pathlib.Path(sys.argv[1]), b"<html>" + str(number).encode() * 100_000 + b"</html>", mode=0o644)
"""
    for _ in range(5):
        writer = subprocess.Popen([sys.executable, "-c", code, str(target)])
        while not target.exists():
            time.sleep(0.01)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            content = target.read_bytes()
            assert (content[:6], content[-7:]) == (b"<html>", b"</html>")
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        assert target.read_bytes()[-7:] == b"</html>"
