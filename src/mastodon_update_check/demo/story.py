"""The demonstration's script: a patch comes out, turns urgent, and is installed."""

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from mastodon_update_check.demo.servers import MailServer, WebServer
from mastodon_update_check.errors import SetupError
from mastodon_update_check.terminal import fill

_INSTANCE = "social.example"
_INSTALLED, _NEWER = "4.5.19", "4.5.20"
_RECIPIENTS = {f"ada@{_INSTANCE}": "all", f"grace@{_INSTANCE}": "critical"}
_NOTES = "https://github.com/mastodon/mastodon/releases/tag/v"
_COLUMNS = 80
_LONGEST_WAIT = 30
_SECONDS_TO_STOP = 12
_PAUSE = 4.0

Say = Callable[[str], None]


def play(say: Say, linger: float, *, is_remote: bool = False) -> None:
    """Run the demonstration; the page stays up for `linger` seconds more. Raises `SetupError` when no mail arrives.

    A person at another machine (`is_remote`) gets the command that makes the page visible there.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="mastodon-update-check-demo-")))
        web = stack.enter_context(WebServer(directory / "page"))
        mail = stack.enter_context(MailServer())
        recipients = ",".join(f"{address}={preference}" for address, preference in _RECIPIENTS.items())
        settings = _write_settings(directory, recipients, f"{web.url}/update-check", mail.port)
        _install(directory / "live", _INSTALLED)
        daemon = stack.enter_context(_running(settings))
        place = web.url.removeprefix("http://")
        tunnel = f" (from your own machine: `ssh -L {place.rpartition(':')[2]}:{place}` and the name of this one)"
        _Story(say, directory, web, mail, daemon, tunnel if is_remote else "").play(linger)


@dataclass(frozen=True)
class _Story:
    """One run of the story."""

    say: Say
    directory: Path
    web: WebServer
    mail: MailServer
    daemon: subprocess.Popen[bytes]
    tunnel: str

    def play(self, linger: float) -> None:
        ada, grace = _RECIPIENTS
        if not self.web.was_asked.wait(_LONGEST_WAIT):
            raise SetupError(f"the demonstration stopped: the daemon did not check. {self._last_log()}")
        self._chapter(
            f"The daemon runs beside Mastodon {_INSTALLED} on {_INSTANCE}.",
            f"It asks an update server every second here, and every 30 minutes in real life. {ada} wants to be "
            f"notified of every release, {grace} of urgent ones only.",
            f"The status page: {self.web.url}/{self.tunnel}",
        )
        time.sleep(_PAUSE)
        self._chapter(f"Mastodon {_NEWER} comes out. It is a patch, so only {ada} gets a mail:")
        self._publish(urgent=False)
        self._show_mails(1)
        self._chapter(f"{_NEWER} turns out to close a security hole. It is marked urgent, and both get a mail:")
        self._publish(urgent=True)
        self._show_mails(2)
        self._chapter(f"The administrator upgrades the server to {_NEWER}. Both are notified:")
        _install(self.directory / "live", _NEWER)
        self._show_mails(2, pause=0)
        self._chapter(
            f"{self.web.url}/ shows the server as up to date now."
            + (f" It stays for {linger:.0f} seconds; Ctrl-C ends the demonstration at once." if linger else ""),
            "To set it up beside a real Mastodon, install the package as README.md says, then:",
            "sudo mastodon-update-check setup",
        )
        time.sleep(linger)

    def _chapter(self, *paragraphs: str) -> None:
        head = f"{datetime.now().astimezone():%H:%M:%S}  "
        for paragraph in paragraphs:
            self.say(fill(paragraph, head, widest=_COLUMNS))
            head = " " * len(head)
        self.say("")

    def _publish(self, *, urgent: bool) -> None:
        notes = f"{_NOTES}{_NEWER}"
        self.web.updates = [{"version": _NEWER, "type": "patch", "urgent": urgent, "releaseNotes": notes}]

    def _show_mails(self, number: int, pause: float = _PAUSE) -> None:
        """Print the mails that arrive: the first one as it is, without its footer, and the recipients of the others."""
        first, *others = sorted((self._next_mail() for _ in range(number)), key=lambda mail: str(mail["To"]))
        body = first.get_body(("plain",))
        text = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
        lines = [*(f"{name}: {first[name]}" for name in ("From", "To", "Subject")), ""]
        lines += text.partition("\n-- \n")[0].rstrip().splitlines()
        for other in others:
            lines += ["", f"(The same to {other['To']}, in a mail of its own.)"]
        for line in lines:
            self.say(f"| {line}".rstrip())
        self.say("")
        time.sleep(pause)

    def _next_mail(self) -> EmailMessage:
        end = time.monotonic() + _LONGEST_WAIT
        while time.monotonic() < end and self.daemon.poll() is None:
            try:
                return self.mail.mails.get(timeout=0.2)
            except queue.Empty:
                continue
        raise SetupError(f"the demonstration stopped: no mail arrived within {_LONGEST_WAIT} s. {self._last_log()}")

    def _last_log(self) -> str:
        lines = (self.directory / "daemon.log").read_text(errors="replace").splitlines()
        return f"The end of its log: {' / '.join(lines[-3:])}"


def _install(root: Path, version: str) -> None:
    """Write the version file of a Mastodon tree."""
    path = root / "lib" / "mastodon" / "version.rb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"module Mastodon::Version\n  def to_s = '{version}'\nend\n")


def _write_settings(directory: Path, recipients: str, update_url: str, smtp_port: int) -> Path:
    """Write the daemon's settings; return their file."""
    settings = {
        "LOCAL_DOMAIN": _INSTANCE,
        "SMTP_SERVER": "127.0.0.1",
        "SMTP_PORT": smtp_port,
        "SMTP_FROM_ADDRESS": f"notifications@{_INSTANCE}",
        "UPDATE_CHECK_INSTANCE_URL": "",
        "UPDATE_CHECK_INTERVAL": "1s",
        "UPDATE_CHECK_JITTER": "0",
        "UPDATE_CHECK_LEDGER": directory / "ledger.sqlite3",
        "UPDATE_CHECK_LOG_FORMAT": "console",
        "UPDATE_CHECK_MASTODON_ENV_FILE": "/dev/null",
        "UPDATE_CHECK_MASTODON_ROOT": directory / "live",
        "UPDATE_CHECK_PAGE_FILE": directory / "page" / "index.html",
        "UPDATE_CHECK_RECIPIENTS": recipients,
        "UPDATE_CHECK_SINKS": "email",
        "UPDATE_CHECK_URL": update_url,
    }
    file = directory / "config.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (directory / "page").mkdir()
    return file


@contextmanager
def _running(settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon with these settings and no others; its log is `daemon.log` beside them."""
    path = os.environ.get("PATH", os.defpath)
    with (settings.parent / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "mastodon_update_check", "run"],
            env={"PATH": path, "HOME": str(settings.parent), "UPDATE_CHECK_CONFIG": str(settings)},
            cwd=settings.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the demonstration, which then stops the daemon
        )
    try:
        yield daemon
    finally:
        daemon.terminate()
        try:
            daemon.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
