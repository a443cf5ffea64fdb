"""The demonstration's script: a patch comes out, turns urgent, and is installed."""

import queue
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from mastodon_update_check.demo.daemon import INSTANCE, install, running, write_settings
from mastodon_update_check.demo.servers import MailServer, WebServer
from mastodon_update_check.errors import SetupError
from mastodon_update_check.terminal import fill

INSTALLED = "4.5.19"
NEWER = "4.5.20"
RECIPIENTS = {f"ada@{INSTANCE}": "all", f"grace@{INSTANCE}": "critical"}
_NOTES = "https://github.com/mastodon/mastodon/releases/tag/v"
_COLUMNS = 80
_LONGEST_WAIT = 30
_PAUSE = 4.0

Say = Callable[[str], None]


def play(say: Say, linger: float, *, is_remote: bool = False) -> None:
    """Run the demonstration from beginning to end; the page stays up for `linger` seconds more.

    A person at another machine (`is_remote`) gets the command that makes the page visible there.

    Raises:
        SetupError: the daemon did not check, or sent no mail.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="mastodon-update-check-demo-")))
        web = stack.enter_context(WebServer(directory / "page"))
        mail = stack.enter_context(MailServer())
        recipients = ",".join(f"{address}={preference}" for address, preference in RECIPIENTS.items())
        settings = write_settings(directory, recipients, f"{web.url}/update-check", mail.port)
        install(directory / "live", INSTALLED)
        daemon = stack.enter_context(running(settings))
        _Story(say, directory, web, mail, daemon).play(linger, is_remote=is_remote)
    say("The demonstration is over. Its files are removed.")


@dataclass(frozen=True)
class _Story:
    """One run of the story."""

    say: Say
    directory: Path
    web: WebServer
    mail: MailServer
    daemon: subprocess.Popen[bytes]

    def play(self, linger: float, *, is_remote: bool) -> None:
        ada, grace = RECIPIENTS
        place = self.web.url.removeprefix("http://")
        tunnel = f"ssh -L {place.rpartition(':')[2]}:{place}"
        if not self.web.was_asked.wait(_LONGEST_WAIT):
            raise SetupError(f"the demonstration stopped: the daemon did not check. {self._last_log()}")
        self._chapter(
            f"The daemon runs beside Mastodon {INSTALLED} on {INSTANCE}.",
            f"It asks an update server every second here, and every 30 minutes in real life. {ada} wants to be "
            f"notified of every release, {grace} of urgent ones only.",
            f"The status page: {self.web.url}/"
            + (f" (from your own machine: `{tunnel}` and the name of this one)" if is_remote else ""),
        )
        time.sleep(_PAUSE)
        self._chapter(f"Mastodon {NEWER} comes out. It is a patch, so only {ada} gets a mail:")
        self._publish(urgent=False)
        self._show(1)
        time.sleep(_PAUSE)
        self._chapter(f"{NEWER} turns out to close a security hole. It is marked urgent, and both get a mail:")
        self._publish(urgent=True)
        self._show(2)
        time.sleep(_PAUSE)
        self._chapter(f"The administrator upgrades the server to {NEWER}. Both are notified:")
        install(self.directory / "live", NEWER)
        self._show(2)
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
        notes = f"{_NOTES}{NEWER}"
        self.web.updates = [{"version": NEWER, "type": "patch", "urgent": urgent, "releaseNotes": notes}]

    def _show(self, number: int) -> None:
        """Print the text of the first mail that arrives, and the addresses of all of them."""
        mails = [self._next_mail() for _ in range(number)]
        for line in _write_mail(mails):
            self.say(f"| {line}".rstrip())
        self.say("")

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


def _write_mail(mails: list[EmailMessage]) -> Iterator[str]:
    """Give the lines of the first mail as they are, without its footer, and the recipients of the others."""
    first, *others = sorted(mails, key=lambda mail: str(mail["To"]))
    yield f"From: {first['From']}"
    yield f"To: {first['To']}"
    yield f"Subject: {first['Subject']}"
    yield ""
    body = first.get_body(("plain",))
    text = "" if body is None else str(body.get_content()).replace("\r\n", "\n")
    yield from text.partition("\n-- \n")[0].rstrip().splitlines()
    for other in others:
        yield ""
        yield f"(The same to {other['To']}, in a mail of its own.)"
