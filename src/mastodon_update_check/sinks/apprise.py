"""Apprise: chat services of all kinds, through its own command, which is an extra, in a process for each message.

The URL is in no argument and no environment. Only options are used that every Apprise since 1.2 has: the installed one
may be Debian's. Apprise reports success or failure and no more, so every failure is transient. One sink is one URL: of
several URLs, the ones that have accepted a message would be unknown.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from mastodon_update_check.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from mastodon_update_check.http.proxies import Proxies
from mastodon_update_check.http.secrets import secrets_of, shown
from mastodon_update_check.messages.message import Message, MessageType

TOTAL = timedelta(seconds=60)
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
NOTES_KEPT = 5
_CUT = "overflow=truncate"
"""A chat with a smaller limit gets the beginning."""
_ENVIRONMENT = {"HOME": "/dev/null", "LC_ALL": "C.UTF-8"}  # without plugins, settings and storage of a user's
_NOTE = re.compile(r" - (?:WARNING|ERROR) - (.*)")
_NO_SERVICE = "You must specify at least one"
_TOKEN_CHARACTERS = 6
_MISSING = "Apprise is not installed: apt install apprise, or pip install 'mastodon-update-check[apprise]'"
_GOOD_NEWS = frozenset({MessageType.UPDATE_INSTALLED, MessageType.CHECK_RECOVERED})


class AppriseSink:
    """Hands messages to one Apprise URL."""

    attempt_limit = TOTAL + timedelta(seconds=30)

    def __init__(self, options: Mapping[str, str], total: timedelta = TOTAL) -> None:
        """Raise `SettingsError` without a URL or without Apprise."""
        url = options.get("url")
        if not url:
            raise SettingsError(["the sink 'apprise' needs UPDATE_CHECK_APPRISE_URL"])
        program = shutil.which("apprise", path=f"{Path(sys.executable).parent}:{os.defpath}")
        if program is None:
            raise SettingsError([_MISSING])
        environment = Proxies.of(options).environment
        self._url = url if "overflow=" in url else f"{url}{'&' if '?' in url else '?'}{_CUT}"
        self._environment = {**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), **environment}
        # `requests`, beneath Apprise, is to trust the system's authorities, as the rest of the program does.
        for path in filter(None, (SYSTEM_CERTIFICATES, ssl.get_default_verify_paths().cafile)):
            if Path(path).exists():
                self._environment["REQUESTS_CA_BUNDLE"] = path
        self._program = program
        self._total = total
        pieces = (part for part in re.split(r"[/:@?&=,;]", url) if len(part) >= _TOKEN_CHARACTERS)
        proxies = (secrets_of(environment.get(name, "")) for name in ("https_proxy", "http_proxy"))
        self._secrets = frozenset({url, *pieces}).union(*proxies)

    def send(self, message: Message) -> None:
        """Hand `message` over; only for a URL that Apprise does not understand the error is permanent."""
        # Services show a failure in red, and rank it highest.
        kind = "failure" if message.urgent else "success" if message.type in _GOOD_NEWS else "info"
        code, said = self._run(message.text, f"--title={message.subject}", f"--notification-type={kind}")
        if code and _NO_SERVICE in said:
            raise PermanentDeliveryError("Apprise does not understand UPDATE_CHECK_APPRISE_URL")
        if code:
            notes = _NOTE.findall(said)[-NOTES_KEPT:] or said.splitlines()[-1:]
            why = shown(" ".join(notes), self._secrets) or "Apprise gives no reason"
            raise TransientDeliveryError(f"not accepted: {why}", sink_wide=True)

    def _run(self, text: str, *options: str) -> tuple[int, str]:
        """Run Apprise's own command, which reads the URL from a file in memory; return exit code and output."""
        with os.fdopen(os.memfd_create("apprise"), "w") as file:
            file.write(f"{self._url}\n")
            file.flush()
            config = f"--config=/proc/self/fd/{file.fileno()}"
            try:
                finished = subprocess.run(  # noqa: S603 - our own words, and a title
                    [self._program, "-v", "--input-format=text", config, *options],
                    check=False,
                    env=self._environment,
                    input=text,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    pass_fds=(file.fileno(),),
                    timeout=self._total.total_seconds(),
                )
            except OSError as error:
                why = f"Apprise could not be started: {error.strerror}"
                raise TransientDeliveryError(why, sink_wide=True) from error
            except subprocess.TimeoutExpired as error:
                limit = f"Apprise took longer than {self._total.total_seconds():g} s in all"
                raise TransientDeliveryError(limit, sink_wide=True) from error
        return finished.returncode, finished.stdout


create = AppriseSink
