"""Apprise: chat services of all kinds, through a library that is an extra and runs in a process of its own.

It tells success from failure and no more, so every failure may pass. One sink is one URL: which of several had taken a
message, nobody could say afterwards.
"""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from importlib.machinery import PathFinder
from pathlib import Path
from threading import Timer
from typing import IO, Any

from mastodon_update_check.errors import PermanentDeliveryError, SettingsError, TransientDeliveryError
from mastodon_update_check.http.secrets import shown
from mastodon_update_check.messages.message import Message, MessageType

TOTAL = timedelta(seconds=60)
"""How long the process may take in all."""
DEBIANS_MODULES = "/usr/lib/python3/dist-packages"
"""Where `apt install apprise` puts it. This program's own package looks there for nothing else."""
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
_CHILD = str(Path(__file__).with_name("apprise_child.py"))
_TELLING = 6  # characters: a part of a URL as long as this may be a token
_MISSING = "Apprise is not installed: apt install apprise, or pip install 'mastodon-update-check[apprise]'"
_GOOD_NEWS = frozenset({MessageType.UPDATE_INSTALLED, MessageType.CHECK_RECOVERED})


class AppriseSink:
    """Hands messages to one Apprise URL."""

    attempt_limit = TOTAL + timedelta(seconds=30)

    def __init__(self, url: str, environment: Mapping[str, str], path: Sequence[str], total: timedelta = TOTAL) -> None:
        self._url = url
        self._path = path
        self._environment = environment
        self._total = total
        self._secrets = {url, *(part for part in re.split(r"[/:@?&=,;]", url) if len(part) >= _TELLING)}

    def send(self, message: Message) -> None:
        """Hand `message` over.

        Raises:
            TransientDeliveryError: sink-wide; the service did not take it, or nobody knows.
            PermanentDeliveryError: Apprise does not understand the URL.
        """
        place = {"path": self._path, "environment": dict(self._environment), "url": self._url}
        with _start() as process:
            alarm = Timer(self._total.total_seconds(), process.kill)
            alarm.start()
            try:
                if not self._ask(process, place)["ok"]:
                    raise PermanentDeliveryError("Apprise does not understand UPDATE_CHECK_APPRISE_URL")
                answer = self._ask(process, _write(message))
            finally:
                alarm.cancel()
                process.kill()
        if not answer["ok"]:
            why = shown(" ".join(answer["notes"]), self._secrets) or "Apprise does not say why"
            raise TransientDeliveryError(f"not taken: {why}", sink_wide=True)

    def _ask(self, process: "subprocess.Popen[str]", question: Mapping[str, object]) -> dict[str, Any]:
        """Write one line, and read the one that answers it."""
        try:
            pipe(process.stdin).write(json.dumps(question) + "\n")
            pipe(process.stdin).flush()
            answer: dict[str, Any] = json.loads(pipe(process.stdout).readline())
        except (OSError, ValueError) as error:  # it has ended: killed by the alarm, or by itself
            last = shown(pipe(process.stderr).read().strip().rpartition("\n")[2], self._secrets)
            why = f" ({last})" if last else ""
            raise TransientDeliveryError(
                f"Apprise ended, or took longer than {self._total.total_seconds():g} s{why}", sink_wide=True
            ) from error
        return answer


def create(options: Mapping[str, str], total: timedelta = TOTAL) -> AppriseSink:
    """Return the sink for these options: `url`, `https_proxy`, `http_proxy`, `no_proxy`.

    Raises:
        SettingsError: there is no URL, or Apprise is not installed.
    """
    if not options.get("url"):
        raise SettingsError(["the sink 'apprise' needs UPDATE_CHECK_APPRISE_URL"])
    path = find([sys.path, [*sys.path, DEBIANS_MODULES]])
    if path is None:
        raise SettingsError([_MISSING])
    proxies = {name: options[name] for name in ("https_proxy", "http_proxy", "no_proxy") if options.get(name)}
    return AppriseSink(options["url"], proxies | _certificates(), path, total)


def find(paths: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the first of these search paths on which Apprise is."""
    return next((list(path) for path in paths if PathFinder.find_spec("apprise", path)), None)


def _certificates() -> dict[str, str]:
    """Have requests, beneath Apprise, trust what the system trusts, as everything else here does."""
    known = (ssl.get_default_verify_paths().cafile, SYSTEM_CERTIFICATES)
    found = next((path for path in known if path and os.path.exists(path)), None)  # noqa: PTH110 - a text, as it is needed
    return {} if found is None else {"REQUESTS_CA_BUNDLE": found}


def _start() -> "subprocess.Popen[str]":
    # -I: neither the environment nor the directory that this was started in decides what is imported.
    return subprocess.Popen(  # noqa: S603 - our own file, and no argument
        [sys.executable, "-I", _CHILD],
        env={"PATH": os.environ.get("PATH", os.defpath)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _write(message: Message) -> Mapping[str, object]:
    # A failure is what services show in red, and rank highest.
    kind = "failure" if message.urgent else "success" if message.type in _GOOD_NEWS else "info"
    return {"title": message.subject, "body": message.text, "type": kind}


def pipe(stream: "IO[str] | None") -> IO[str]:
    """Return a pipe that was asked for."""
    assert stream is not None  # noqa: S101 - Popen has opened all three
    return stream
