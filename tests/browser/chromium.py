"""A real headless Chromium, driven through its DevTools protocol over a pair of pipes.

::

    with Chromium(profile) as browser:
        page = browser.open(url, width=390, scheme="dark")
        assert page.problems == []
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]
_TARGET = ROOT / "build" / "chromium"
_SECONDS = 60.0
_NAVIGATED = "Inspected target navigated or closed"
_LAUNCHER = "import os, sys; [os.dup2(int(sys.argv[n]), n + 2) for n in (1, 2)]; os.execv(sys.argv[3], sys.argv[3:])"
_OPTIONS = (
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def bring_chromium() -> Path:
    """Return the command that starts a Chromium; have make bring it if it is not there yet."""
    _TARGET.parent.mkdir(exist_ok=True)
    with (_TARGET.parent / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make = ["make", "--silent", "build/chromium"]
        ended = subprocess.run(make, cwd=ROOT, check=False, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stderr
    return _TARGET


class ProtocolError(Exception):
    """The browser answered a call with an error."""


class Chromium:
    """One browser, as long as its context lasts."""

    def __init__(self, command: Path, profile: Path) -> None:
        pipes = [os.pipe(), os.pipe()]
        # The browser reads from descriptor 3 and writes to 4: both may be in use here, so high ones are handed over.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 20) for end in (pipes[0][0], pipes[1][1])]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCHER, *map(str, ends), command, *_OPTIONS, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (*ends, pipes[0][0], pipes[1][1]):
            os.close(end)
        self._commands, self._answers = os.fdopen(pipes[0][1], "wb"), os.fdopen(pipes[1][0], "rb")
        self._numbers = itertools.count(1)
        self._buffer = b""
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with contextlib.suppress(BrokenPipeError):
            self._commands.close()
        self._process.wait(20)
        self._answers.close()

    def call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise ProtocolError(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._answers.fileno(), 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def open(self, url: str, *, width: int = 1000, height: int = 800, scheme: str = "light") -> "Page":
        """Open a page in a window of its own, and wait until it is loaded."""
        self.events.clear()
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", features=features)
        page.call("Page.navigate", url=url)
        page.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")
        return page


class Page:
    """One page in the browser."""

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Call a method of the protocol for this page."""
        return self._browser.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - the type of the expression's value
        """Return the value of an expression, on the next page if this one is just being replaced."""
        while True:
            try:
                return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")
            except ProtocolError as error:
                if str(error) != _NAVIGATED:
                    raise

    def wait_for(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _SECONDS
        while not self.evaluate(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.05)

    def photograph(self, path: Path) -> None:
        """Write the whole page as a picture."""
        result = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(result["data"]))

    @property
    def problems(self) -> list[object]:
        """The errors and messages of the console."""
        events = [event for event in self._browser.events if event.get("sessionId") == self._session]
        names = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [event["params"] for event in events if event["method"] in names]

    @property
    def requests(self) -> list[str]:
        """The URLs that were requested."""
        events = [event for event in self._browser.events if event.get("sessionId") == self._session]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
